import { expect, it } from 'vitest'
import { lockKey, seenKey } from '../../../src/redis/keys.ts'
import { survey, type SurveyOptions } from '../../../src/sweeps/inngest/survey.ts'
import { fixtureKeys } from '../../support/inngest-fixture.ts'
import { ulidAt } from '../../support/inngest-ulid.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { failure, lost, spoil } from '../../support/transport.ts'
import { NOW_MS, redisRig } from './redis-rig.ts'

const options = (given: Partial<SurveyOptions> = {}): SurveyOptions => ({
  prefix: undefined,
  nowMs: NOW_MS,
  signal: new AbortController().signal,
  onProgress: () => {},
  ...given,
})

describeWithRedis(
  'a survey of the Redis of an Inngest',
  () => {
    const rig = redisRig()
    const { send } = rig.transport
    const counts = async (given: Partial<SurveyOptions> = {}) => {
      const { kinds } = await survey(send, options(given))
      return Object.fromEntries(kinds.map(({ name, keys }) => [name, keys]))
    }

    it('counts the keys of each kind, the most frequent first', async () => {
      await rig.fill()

      const { kinds, keys, prefixes, runIds } = await survey(send, options())

      expect(keys).toBe(fixtureKeys().length)
      expect(kinds.map(({ name, keys: of }) => [name, of])).toEqual([
        ['idempotency keys', 63],
        ['state of runs: bulk-events', 62],
        ['state of runs: actions', 56],
        ['state of runs: metadata', 56],
        ['state of runs: stack', 53],
        ['queue', 50],
        ['jobs of runs', 31],
        ['other state', 18],
        ['pauses of runs', 13],
        ['capacity', 6],
        ['not of Inngest', 5],
        ['connect', 1],
      ])
      expect(prefixes).toEqual([{ prefix: 'estate', keys: 63 + 62 + 56 + 56 + 53 + 13 }])
      expect(runIds.length).toBeGreaterThan(60)
    })

    it('shows at most three keys of a kind', async () => {
      await rig.put('a', 'b', 'c', 'd', '{connect}:gateways')

      const { kinds } = await survey(send, options())

      expect(kinds[0]?.sample).toHaveLength(3)
      expect(kinds[1]?.sample).toEqual(['{connect}:gateways'])
    })

    it('counts by the prefix that is configured, and names others', async () => {
      const [mine, theirs] = [ulidAt(NOW_MS), ulidAt(NOW_MS)]
      await rig.put(`{mine:${mine}}:metadata:${mine}`, `{estate:${theirs}}:metadata:${theirs}`)

      const { kinds, prefixes, runIds } = await survey(send, options({ prefix: 'mine' }))

      expect(kinds.map(({ name }) => name)).toEqual(['not of Inngest', 'state of runs: metadata'])
      expect(prefixes).toEqual([
        { prefix: 'mine', keys: 1 },
        { prefix: 'estate', keys: 1 },
      ])
      expect(runIds).toEqual([mine])
    })

    it('finds out a prefix that is not the usual one', async () => {
      const run = ulidAt(NOW_MS)
      await rig.put(`{mine:${run}}:metadata:${run}`, `{mine:${run}}:stack:${run}`, `{mine}:pr:${run}`)

      const { kinds, prefixes } = await survey(send, options())

      expect(kinds.map(({ name }) => name)).toEqual([
        'pauses of runs',
        'state of runs: metadata',
        'state of runs: stack',
      ])
      expect(prefixes).toEqual([{ prefix: 'mine', keys: 3 }])
    })

    it("tells Orderly's own keys from those of strangers", async () => {
      await rig.put(lockKey('inngest'), seenKey('inngest'), 'session:9f31c')

      expect(await counts()).toEqual({ 'of Orderly': 2, 'not of Inngest': 1 })
    })

    it('names at most 1 000 runs, 20 prefixes beside its own, and all keys', async () => {
      const runs = Array.from({ length: 1_500 }, () => ulidAt(NOW_MS))
      await rig.put(...runs.map((run, at) => `{p${at % 30}:${run}}:metadata:${run}`))
      await rig.put(...runs.map((run) => `{estate}:pr:${run}`))

      const found = await survey(send, options())

      expect(found.runIds).toHaveLength(1_000)
      expect(found.prefixes).toHaveLength(21)
      expect(found.keys).toBe(3_000)
    })

    it('counts a key once that a scan brings twice', async () => {
      await rig.put('{connect}:gateways')
      rig.transport.onRequest = spoil('SCAN', async () => [['0', ['{connect}:gateways', '{connect}:gateways']]])

      expect(await counts()).toEqual({ connect: 1 })
    })

    it('tells what the server says of itself, and null for what it does not', async () => {
      rig.transport.onRequest = spoil('INFO', async () => [
        'redis_version:7.0.15\r\nmaxmemory:52428800\r\nmaxmemory_policy:noeviction\r\n',
      ])
      const told = await survey(send, options())
      rig.transport.onRequest = spoil('INFO', async () => [failure('REDIS_REFUSED')])
      const untold = await survey(send, options())

      expect(told).toMatchObject({ version: '7.0.15', maxMemoryBytes: 52_428_800, evictionPolicy: 'noeviction' })
      expect(untold).toMatchObject({ version: null, maxMemoryBytes: null, evictionPolicy: null })
    })

    it('ends where it is interrupted, and where Redis fails', async () => {
      await expect(survey(send, options({ signal: AbortSignal.abort() }))).rejects.toMatchObject({
        code: 'INTERRUPTED',
      })
      rig.transport.onRequest = spoil('SCAN', lost)
      await expect(survey(send, options())).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
    })
  },
  { own: false },
)
