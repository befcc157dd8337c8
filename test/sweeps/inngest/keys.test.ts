import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globTest } from '../../../src/redis/memory/glob.ts'
import {
  isQueueSign,
  metadataKey,
  prefixShownBy,
  readKey,
  runJobsKey,
  runPausesKey,
  statePattern,
} from '../../../src/sweeps/inngest/keys.ts'
import { fixtureKeys, fixtureTruth } from '../../support/inngest-fixture.ts'
import { instant } from '../../support/clock.ts'

const nowMs = instant('2026-11-15T12:00:00Z')
const read = (key: string, prefix = 'estate') => readKey(key, { prefix, nowMs })

const RUN = '01KXX3YPQW5BQ05FKH3NXF8689'
const FN = 'c1197d8b-0760-5628-8793-95d15b17341f'
const ACCOUNT = '00000000-0000-4000-a000-000000000000'
const FOREIGN = { kind: 'foreign' }

describe('a key of Inngest', () => {
  it.each([
    [`{estate:${RUN}}:metadata:${RUN}`, 'metadata'],
    [`{estate:${RUN}}:bulk-events:${FN}:${RUN}`, 'bulk-events'],
    [`{estate:${RUN}}:actions:${FN}:${RUN}`, 'actions'],
    [`{estate:${RUN}}:inputs:${FN}:${RUN}`, 'inputs'],
    [`{estate:${RUN}}:stack:${RUN}`, 'stack'],
    [`{estate:${RUN}}:pending:${FN}:${RUN}`, 'pending'],
    [`{estate:${RUN}}:defers-meta:${FN}:${RUN}`, 'defers-meta'],
    [`{estate:${RUN}}:defers-input:${FN}:${RUN}`, 'defers-input'],
    [`{estate:${RUN}}:defers-control-meta:${FN}:${RUN}`, 'defers-control-meta'],
    [`{estate:${RUN}}:something-new:${RUN}`, 'other'],
  ])('%s is state of its run: %s', (key, part) => {
    expect(read(key)).toEqual({ kind: 'run-state', runId: RUN, part })
    expect(read(key, 'other')).toEqual(FOREIGN)
  })

  it.each([
    [`{estate}:pr:${RUN}`, { kind: 'run-pauses', runId: RUN }],
    [`{queue}:idx:run:${RUN}`, { kind: 'run-jobs', runId: RUN }],
    [`{estate:${ACCOUNT}}:key:1drkj2gikrtr6-2oye8xbnpjcwx`, { kind: 'idempotency' }],
    [`{estate:${ACCOUNT}}:key:1drkj2gikrtr6:finalize`, { kind: 'idempotency' }],
    [`{estate:${ACCOUNT}}:something`, { kind: 'other-state' }],
    [`{estate}:pauses:0859aa0a-a35f-5c05-a7b3-8350fb499e06`, { kind: 'other-state' }],
    ['{estate}:pauses-idx', { kind: 'other-state' }],
    ['{estate}:pr:nobody', { kind: 'other-state' }],
    ['{queue}:queue:item', { kind: 'queue' }],
    ['{queue}:idx:run:nobody', { kind: 'queue' }],
    [`{queue:${FN}}:batch_idem:${RUN}`, { kind: 'queue' }],
    ['{connect}:gateways', { kind: 'connect' }],
    ['{cs}:css', { kind: 'capacity' }],
  ])('%s is %o', (key, kind) => {
    expect(read(key)).toEqual(kind)
  })

  it.each([
    ['{estate:tenant-7}:metadata:tenant-7'],
    [`estate:${RUN}:metadata`],
    [`{estate:${RUN.toLowerCase()}}:metadata:${RUN.toLowerCase()}`],
    [`{estate:${RUN}0}:metadata:${RUN}0`],
    [`{estate: ${RUN}}:metadata:${RUN}`],
    [`{estate:00000000000000000000000000}:metadata:00000000000000000000000000`],
    [`{estate:7ZZZZZZZZZZZZZZZZZZZZZZZZZ}:metadata:7ZZZZZZZZZZZZZZZZZZZZZZZZZ`],
    [`{estate:${RUN}}`],
    [`{estate:${RUN}}:`],
    [`{estate:${RUN}}metadata:${RUN}`],
    [`{estate:${RUN}:x}:metadata:${RUN}`],
    [`{estate:{${RUN}}:metadata:${RUN}`],
    [`x{estate:${RUN}}:metadata:${RUN}`],
    [`{estates:${RUN}}:metadata:${RUN}`],
    [`{estate:${RUN}}:key:1drkj2gikrtr6`],
    ['{estate:tenant-7}:key:1drkj2gikrtr6'],
    [`{estate:${RUN}}:metadata:\ufffd`],
    [`{queues}:idx:run:${RUN}`],
    ['bull:mail:41'],
    [''],
  ])('is not %s', (key) => {
    expect(read(key)).toEqual(FOREIGN)
  })

  it('is told as the one it was named', () => {
    const prefix = fc.stringMatching(/^[a-z][a-z0-9:._-]{0,20}$/).filter((one) => one !== 'queue')
    fc.assert(
      fc.property(prefix, (given) => {
        expect(read(metadataKey(given, RUN), given)).toEqual({ kind: 'run-state', runId: RUN, part: 'metadata' })
        expect(read(runPausesKey(given, RUN), given)).toEqual({ kind: 'run-pauses', runId: RUN })
        expect(read(runJobsKey(RUN), given)).toEqual({ kind: 'run-jobs', runId: RUN })
        expect(prefixShownBy(metadataKey(given, RUN), nowMs)).toEqual({ prefix: given, runId: RUN })
      }),
    )
  })

  it('is state of a run exactly where the fixture says so', () => {
    const found = fixtureKeys().flatMap(({ key }) => (read(key).kind === 'run-state' ? [key] : []))

    expect(found.toSorted()).toEqual(
      fixtureTruth()
        .redisGroups.flatMap(({ keys }) => keys)
        .toSorted(),
    )
  })
})

describe('the pattern of state', () => {
  it.each(['estate', 'a*b', 'a[b]?', String.raw`a\b`])(
    'of the prefix %s finds its keys and those of no other',
    (prefix) => {
      const matches = globTest(statePattern(prefix))

      expect(matches(metadataKey(prefix, RUN))).toBe(true)
      expect(matches(runPausesKey(prefix, RUN))).toBe(true)
      expect(matches(metadataKey('axb', RUN))).toBe(false)
      expect(matches(metadataKey('ab', RUN))).toBe(false)
    },
  )
})

describe('a prefix', () => {
  it.each([
    [`{mine:${RUN}}:metadata:${RUN}`, 'mine'],
    [`{a:b:${RUN}}:metadata:${RUN}`, 'a:b'],
    [`{mine:${RUN}}:metadata:01KXZPBDVTASVZ7A8HQRDK82Q4`, undefined],
    [`{mine:${RUN}}:stack:${RUN}`, undefined],
    ['{mine:tenant-7}:metadata:tenant-7', undefined],
    [`{\u001b[2J:${RUN}}:metadata:${RUN}`, undefined],
    [`{:${RUN}}:metadata:${RUN}`, undefined],
  ])('is shown by %j: %s', (key, prefix) => {
    expect(prefixShownBy(key, nowMs)?.prefix).toBe(prefix)
  })
})

describe('a queue', () => {
  it.each([
    ['{queue}:queue:item', true],
    ['{queue}:queue:sequential', true],
    ['{queue}:queue:seen:1d6p0x5e248qs', true],
    ['{queue}:partition:item', true],
    ['{queue}:accounts:sorted', true],
    [`{queue}:idx:run:${RUN}`, true],
    ['{queue}:mail:wait', false],
    ['{queue}:queue:wait', false],
    ['{queue}:queue:41', false],
    ['{queue}:partition:id', false],
    ['queue:queue:item', false],
  ])('is shown by %s: %s, for BullMQ may use the same tag', (key, isSign) => {
    expect(isQueueSign(key)).toBe(isSign)
  })
})
