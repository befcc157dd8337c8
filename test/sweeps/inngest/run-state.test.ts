import { expect, it } from 'vitest'
import type { Reply } from '../../../src/redis/transport.ts'
import { aliveRuns } from '../../../src/sweeps/inngest/run-state.ts'
import { fixtureTruth } from '../../support/inngest-fixture.ts'
import { aRun } from '../../support/inngest-history.ts'
import { ulidAt } from '../../support/inngest-ulid.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { failure } from '../../support/transport.ts'
import { NOW_MS, redisRig } from './redis-rig.ts'

const lastAs = (replies: readonly Reply[], reply: Reply) => [...replies.slice(0, -1), reply]

const wrong: readonly (readonly [string, (replies: readonly Reply[]) => readonly Reply[]])[] = [
  ['an error', (replies) => lastAs(replies, failure('REDIS_REFUSED'))],
  ['a 2', (replies) => lastAs(replies, 2)],
  ['a nil', (replies) => lastAs(replies, null)],
  ['a text', (replies) => lastAs(replies, '1')],
  ['missing', (replies) => replies.slice(0, -1)],
]

describeWithRedis(
  'the runs that are alive',
  () => {
    const rig = redisRig()

    it('are those of the fixture that the truth names', async () => {
      await rig.fill()
      const { runs, redisGroups } = fixtureTruth()
      const ids = [...runs, ...redisGroups].map(({ run }) => run)

      const alive = await aliveRuns(rig.transport.send, 'estate', ids)

      const expected = redisGroups.filter((group) => group.alive.length > 0).map(({ run }) => run)
      expect([...alive].toSorted()).toEqual(expected.toSorted())
    })

    it.each([['metadata' as const], ['pr' as const], ['idx' as const]])('are those with %s alone', async (sign) => {
      const run = aRun({ startedAt: NOW_MS, alive: [sign] })
      await rig.store(run.keys)

      expect(await aliveRuns(rig.transport.send, 'estate', [run.id])).toEqual(new Set([run.id]))
    })

    it('are not those with any other state', async () => {
      const run = aRun({ startedAt: NOW_MS, state: ['actions', 'bulk-events', 'stack', 'inputs', 'pending'] })
      await rig.store(run.keys)

      expect(await aliveRuns(rig.transport.send, 'estate', [run.id])).toEqual(new Set())
    })

    it('are asked for by 3 commands each, at most 900 a request', async () => {
      const ids = Array.from({ length: 1_000 }, () => ulidAt(NOW_MS))
      const requests: number[] = []
      rig.transport.onRequest = (commands, carryOut) => {
        requests.push(commands.length)
        return carryOut()
      }

      await aliveRuns(rig.transport.send, 'estate', ids)

      expect(requests).toEqual([900, 900, 900, 300])
      expect(await aliveRuns(rig.transport.send, 'estate', [])).toEqual(new Set())
      expect(requests).toHaveLength(4)
    })

    it.each(wrong)('are unknown, all of them, when a single answer is %s', async (_, spoilt) => {
      rig.transport.onRequest = async (_commands, carryOut) => spoilt(await carryOut())
      const ids = Array.from({ length: 400 }, () => ulidAt(NOW_MS))

      await expect(aliveRuns(rig.transport.send, 'estate', ids)).rejects.toMatchObject({ name: 'RedisError' })
    })
  },
  { own: false },
)
