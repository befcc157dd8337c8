import { decodeTime } from 'ulid'
import { expect, it } from 'vitest'
import { seenKey } from '../../../src/redis/keys.ts'
import { textOf } from '../../../src/redis/transport.ts'
import { fixtureKeys, fixtureTruth } from '../../support/inngest-fixture.ts'
import { aRun, type RunOptions } from '../../support/inngest-history.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { databaseOf, expectTruth, orphanRig } from './orphan-rig.ts'
import { HOUR_MS, NOW_MS } from './redis-rig.ts'

const DAY_MS = 24 * HOUR_MS
const orphans = fixtureTruth().redisGroups.filter(({ expected }) => expected === 'delete')
const keysOfOrphans = orphans.flatMap(({ keys }) => keys)
const withState = fixtureTruth().redisGroups.filter(({ keys }) => keys.length > 0)

const named = (keys: readonly (string | number)[]) => keys.map(String).toSorted().join(' ')

describeWithRedis(
  'a pass over orphaned state',
  () => {
    const rig = orphanRig()
    const { send } = rig.transport

    it('deletes nothing at first, and at the second time exactly what the truth names', async () => {
      await rig.fill()

      const first = await rig.pass()
      expect((await rig.content()).keys).toHaveLength(fixtureKeys().length)
      const second = await rig.pass()

      expectTruth(await rig.content())
      const scanned = withState.length
      const kept = scanned - orphans.length
      const idempotencyKeys = { scanned: 63, due: 9, expired: 9 }
      expect(first).toEqual({
        runs: { scanned, kept, seenOnce: orphans.length, due: 0, deleted: 0 },
        keys: { due: 0, deleted: 0 },
        idempotencyKeys,
        hasRemembered: true,
      })
      expect(second).toEqual({
        runs: { scanned, kept, seenOnce: 0, due: orphans.length, deleted: orphans.length },
        keys: { due: keysOfOrphans.length, deleted: keysOfOrphans.length },
        idempotencyKeys: { scanned: 63, due: 0, expired: 0 },
        hasRemembered: true,
      })
    })

    it('finds nothing at the third time, and leaves no memory', async () => {
      await rig.fill()
      await rig.pass()
      await rig.pass()

      const { runs, keys } = await rig.pass()

      expect([runs.seenOnce, runs.due, runs.deleted, keys.due]).toEqual([0, 0, 0, 0])
      expect((await rig.content()).own).toEqual([])
    })

    it('writes nothing in a dry run, and counts as due what an earlier pass saw', async () => {
      await rig.fill()
      const before = await rig.content()

      const first = await rig.pass({ isDryRun: true })
      const again = await rig.pass({ isDryRun: true })

      expect(first).toEqual(again)
      expect(first.runs).toMatchObject({ seenOnce: orphans.length, due: 0, deleted: 0 })
      expect(first.idempotencyKeys).toEqual({ scanned: 63, due: 9, expired: 0 })
      const written = rig.transport.sent().filter(([name]) => !['SCAN', 'EXISTS', 'ZSCORE', 'TTL'].includes(name))
      expect(written).toEqual([])
      const { keys, own } = await rig.content()
      expect({ keys, own }).toEqual({ keys: before.keys, own: [] })

      await rig.pass()
      const seen = await rig.pass({ isDryRun: true })

      expect(seen.runs).toMatchObject({ seenOnce: 0, due: orphans.length, deleted: 0 })
      expect(seen.keys).toEqual({ due: keysOfOrphans.length, deleted: 0 })
      expect((await rig.content()).keys).toEqual(before.keys)
    })

    const ALL = ['actions', 'bulk-events', 'stack', 'inputs', 'pending'] as const
    const rules: readonly (readonly [
      string,
      Omit<RunOptions, 'startedAt'>,
      'finished' | 'unfinished' | undefined,
      number,
      'goes' | 'stays',
    ])[] = [
      ['finished', { alive: ['metadata'], state: ALL }, 'finished', 3 * DAY_MS, 'goes'],
      ['unknown to the database', { alive: ['metadata'], state: ALL }, undefined, 3 * DAY_MS, 'goes'],
      ['finished, its metadata gone', { state: ALL }, 'finished', 3 * DAY_MS, 'goes'],
      ['unfinished', { alive: ['metadata'], state: ALL }, 'unfinished', 300 * DAY_MS, 'stays'],
      ['finished, with a job', { alive: ['metadata', 'idx'] }, 'finished', 300 * DAY_MS, 'stays'],
      ['finished, with a pause', { alive: ['metadata', 'pr'] }, 'finished', 300 * DAY_MS, 'stays'],
      ['unknown, with a job', { alive: ['metadata', 'idx'], state: ALL }, undefined, 300 * DAY_MS, 'stays'],
      ['unknown, with a pause', { alive: ['metadata', 'pr'], state: ALL }, undefined, 300 * DAY_MS, 'stays'],
      ['finished, 24 hours old', { alive: ['metadata'] }, 'finished', DAY_MS, 'stays'],
      ['finished, a millisecond older', { alive: ['metadata'] }, 'finished', DAY_MS + 1, 'goes'],
      ['of the future', { alive: ['metadata'] }, undefined, -HOUR_MS, 'stays'],
      ['of 2014', { alive: ['metadata'] }, undefined, 13 * 365 * DAY_MS, 'stays'],
      ['of another prefix', { alive: ['metadata'], prefix: 'estates' }, undefined, 3 * DAY_MS, 'stays'],
    ]
    it.each(rules)('a run that is %s: its state', async (_, run, state, ageMs, fate) => {
      const { id, keys } = aRun({ ...run, startedAt: NOW_MS - ageMs })
      await rig.store(keys)
      const database = databaseOf(state === undefined ? {} : { [id]: state })

      await rig.pass({ database })
      await rig.pass({ database })

      const left = (await rig.content()).keys
      expect(left).toEqual(fate === 'goes' ? [] : keys.map(({ key }) => key).toSorted())
    })

    it('deletes under another prefix what has that one', async () => {
      const run = aRun({ startedAt: NOW_MS - 3 * DAY_MS, prefix: 'a[b]*', alive: ['metadata'], state: ['stack'] })
      const other = aRun({ startedAt: NOW_MS - 3 * DAY_MS, alive: ['metadata'] })
      await rig.store([...run.keys, ...other.keys])

      await rig.pass({ prefix: 'a[b]*', database: databaseOf({}) })
      await rig.pass({ prefix: 'a[b]*', database: databaseOf({}) })

      expect((await rig.content()).keys).toEqual(other.keys.map(({ key }) => key))
    })

    it('leaves keys that no command can name, and what only looks like state', async () => {
      const { id, keys } = aRun({ startedAt: NOW_MS - 3 * DAY_MS, alive: ['metadata'] })
      await rig.store(keys)
      const strange = [`{estate:tenant-7}:metadata:tenant-7`, `estate:${id}:metadata`, `{estate:${id}}:key:a`]
      await rig.put(...strange)
      await send([['EVAL', String.raw`return redis.call('SET', '{estate:${id}}:stack:\255', 'x')`, 0]])

      await rig.pass({ database: databaseOf({}) })
      await rig.pass({ database: databaseOf({}) })

      expect((await rig.content()).keys).toEqual([...strange, `{estate:${id}}:stack:\ufffd`].toSorted())
    })

    it('remembers what it saw by its start, for 35 days', async () => {
      await rig.fill()

      await rig.pass({ startedAtMs: 1_000 })

      expect(await rig.remembered()).toEqual(Object.fromEntries(orphans.map(({ run }) => [run, 1_000])))
      const [ttl] = await send([['TTL', seenKey('inngest')]])
      expect(Number(ttl)).toBeGreaterThan(35 * 86_400 - 600)
      expect(Number(ttl)).toBeLessThanOrEqual(35 * 86_400)
    })

    it('counts two passes of the same start as one', async () => {
      await rig.fill()

      await rig.pass({ startedAtMs: 1_000 })
      const again = await rig.pass({ startedAtMs: 1_000 })
      const later = await rig.pass({ startedAtMs: 1_001 })

      expect(again.runs).toMatchObject({ seenOnce: orphans.length, deleted: 0 })
      expect(later.runs).toMatchObject({ seenOnce: 0, deleted: orphans.length })
    })

    it('takes a memory from the future for none', async () => {
      await rig.fill()

      await rig.pass({ startedAtMs: 2_000 })
      const back = await rig.pass({ startedAtMs: 1_000 })
      const next = await rig.pass({ startedAtMs: 1_001 })

      expect(back.runs).toMatchObject({ seenOnce: orphans.length, due: 0 })
      expect(next.runs).toMatchObject({ seenOnce: 0, deleted: orphans.length })
    })

    it('forgets a run that is no orphan any more, so that it must be seen twice anew', async () => {
      const { id, keys } = aRun({ startedAt: NOW_MS - 3 * DAY_MS, alive: ['metadata', 'idx'] })
      const [metadata, idx] = keys
      if (metadata === undefined || idx === undefined) throw new Error('A run without its keys.')
      await rig.store([metadata])
      const database = databaseOf({})

      await rig.pass({ database })
      await rig.store([idx])
      await rig.pass({ database })
      expect(await rig.remembered()).toEqual({})
      await send([['UNLINK', idx.key]])
      const third = await rig.pass({ database })

      expect(third.runs).toMatchObject({ seenOnce: 1, deleted: 0 })
      expect(Object.keys(await rig.remembered())).toEqual([id])
      expect((await rig.pass({ database })).runs).toMatchObject({ deleted: 1 })
    })

    it('spares a run that comes to life after it was found', async () => {
      const run = aRun({ startedAt: NOW_MS - 3 * DAY_MS, alive: ['metadata', 'idx'], state: ['stack'] })
      const idx = run.keys.find(({ key }) => key.startsWith('{queue}'))
      if (idx === undefined) throw new Error('A run without a job.')
      await rig.store(run.keys.filter((key) => key !== idx))
      await rig.pass({ database: databaseOf({}) })
      let looks = 0
      rig.transport.onRequest = async (commands, carryOut) => {
        if (commands.some(([name]) => name === 'EXISTS')) looks += 1
        if (looks === 2) await rig.store([idx])
        return await carryOut()
      }

      const { runs, keys } = await rig.pass({ database: databaseOf({}) })

      expect(looks).toBe(2)
      expect(runs).toEqual({ scanned: 1, kept: 1, seenOnce: 0, due: 0, deleted: 0 })
      expect(keys).toEqual({ due: 0, deleted: 0 })
      expect((await rig.content()).keys).toHaveLength(run.keys.length)
    })

    it('deletes the state of each run by one command', async () => {
      await rig.fill()
      await rig.pass()
      rig.transport.forget()

      await rig.pass()

      const unlinks = rig.transport.sent().filter(([name]) => name === 'UNLINK')
      expect(unlinks.map(([, ...keys]) => named(keys)).toSorted()).toEqual(
        orphans.map(({ keys }) => named(keys)).toSorted(),
      )
    })

    it('ends the same when fewer keys may wait than are due', async () => {
      await rig.fill()
      await rig.put(...Array.from({ length: 4_000 }, (_, at) => `filler:${at}`))
      await rig.pass({ mostKeys: 7 })

      const { runs, keys } = await rig.pass({ mostKeys: 7 })

      expect(runs).toMatchObject({ due: orphans.length, deleted: orphans.length })
      expect(keys).toEqual({ due: keysOfOrphans.length, deleted: keysOfOrphans.length })
      const content = await rig.content()
      expectTruth({ ...content, keys: content.keys.filter((key) => !key.startsWith('filler:')) })
    })

    it('costs what it says', async () => {
      await rig.fill()
      await rig.pass()
      rig.transport.forget()

      await rig.pass()

      const costs: Record<string, number> = {}
      for (const [name] of rig.transport.sent()) costs[name] = (costs[name] ?? 0) + 1
      const old = withState.filter(({ run }) => decodeTime(run) < NOW_MS - DAY_MS).length
      expect(costs).toEqual({
        SCAN: 1,
        EXISTS: 2 * old + 2 * orphans.length,
        ZSCORE: orphans.length,
        UNLINK: orphans.length,
        TTL: 63,
        ZREMRANGEBYSCORE: 1,
      })
    })

    it('tells how far it is, and stops where it is told to', async () => {
      await rig.fill()
      let looks = 0
      const onProgress = () => void (looks += 1)

      await expect(rig.pass({ onProgress, checkpoint: () => Promise.reject(new Error('enough')) })).rejects.toThrow(
        'enough',
      )

      expect(looks).toBe(1)
      expect(textOf((await send([['TYPE', seenKey('inngest')]]))[0] ?? null)).toBe('zset')
    })
  },
  { own: false },
)
