import { expect, it } from 'vitest'
import { isRedisError } from '../../../src/errors.ts'
import { listOf, type Reply } from '../../../src/redis/transport.ts'
import { SweepStopped } from '../../../src/sweeps/guard.ts'
import type { OrphanCounts } from '../../../src/sweeps/inngest/orphan-counts.ts'
import { fixtureKeys, fixtureTruth } from '../../support/inngest-fixture.ts'
import { aRun } from '../../support/inngest-history.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { failure, lost, lostReply, spoil, type OnRequest } from '../../support/transport.ts'
import { databaseOf, expectTruth, expectWholeRuns, orphanRig } from './orphan-rig.ts'
import { HOUR_MS, NOW_MS } from './redis-rig.ts'

const withState = fixtureTruth().redisGroups.filter(({ keys }) => keys.length > 0)
const orphans = fixtureTruth().redisGroups.filter(({ expected }) => expected === 'delete')

/** Requests pass until `count` of them were sent; the next one ends as `last` says, and all after it. */
function failingAfter(count: number, last: OnRequest): OnRequest & { hasFailed(): boolean } {
  let left = count
  const onRequest: OnRequest = async (commands, carryOut) => {
    left -= 1
    return left >= 0 ? await carryOut() : await last(commands, carryOut)
  }
  return Object.assign(onRequest, { hasFailed: () => left < 0 })
}

const stopped: OnRequest = async () => {
  throw new SweepStopped('interrupted')
}

/** Replaces the last answer to each request that holds this command. */
const lastAnswer = (name: string, reply: Reply) =>
  spoil(name, async (_, carryOut) => [...(await carryOut()).slice(0, -1), reply], Infinity)

/** A Redis that takes nothing new. */
const full = spoil('ZADD', async (commands) => commands.map(([name]) => (name === 'ZADD' ? failure('REDIS_FULL') : 0)))

describeWithRedis(
  'a pass over orphaned state that meets trouble',
  () => {
    const rig = orphanRig()

    /** The fixture on several pages, so that there are more requests to fail. */
    const fill = async () => {
      await rig.empty()
      await rig.fill()
      await rig.put(...Array.from({ length: 2_500 }, (_, at) => `filler:${at}`))
    }
    const content = async () => {
      const found = await rig.content()
      return { ...found, keys: found.keys.filter((key) => !key.startsWith('filler:')) }
    }
    /** A pass that fails after so many requests; whether it did. */
    const failingPass = async (count: number, last: OnRequest) => {
      const failing = failingAfter(count, last)
      rig.transport.onRequest = failing
      await rig.pass().catch((error: unknown) => {
        if (!(error instanceof SweepStopped) && !isRedisError(error)) throw error
      })
      rig.transport.onRequest = undefined
      return failing.hasFailed()
    }

    const ends: readonly (readonly [string, OnRequest])[] = [
      ['stopped before', stopped],
      ['cut off before', lost],
      ['cut off after', lostReply],
    ]
    it.each(ends)(
      'ends the same when the first time it is %s any request',
      async (_, last) => {
        let count = 0
        for (let hasFailed = true; hasFailed; count += 1) {
          await fill()
          hasFailed = await failingPass(count, last)
          expectWholeRuns(await content())
          await rig.pass()
          await rig.pass()
          expectTruth(await content())
        }
        expect(count).toBeGreaterThan(10)
      },
      60_000,
    )

    it.each(ends)(
      'leaves no run half deleted when the second time it is %s any request',
      async (_, last) => {
        let count = 0
        for (let hasFailed = true; hasFailed; count += 1) {
          await fill()
          await rig.pass()
          hasFailed = await failingPass(count, last)
          expectWholeRuns(await content())
          await rig.pass()
          expectTruth(await content())
          expect((await rig.pass()).runs).toMatchObject({ seenOnce: 0, due: 0, deleted: 0 })
          expect((await content()).own).toEqual([])
        }
        expect(count).toBeGreaterThan(10)
      },
      60_000,
    )

    it('counts as one that saw what it had remembered', async () => {
      await rig.fill()
      rig.transport.onRequest = spoil('TTL', lost)
      await expect(rig.pass()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })

      const { runs } = await rig.pass()

      expect(runs).toMatchObject({ seenOnce: 0, due: orphans.length, deleted: orphans.length })
    })

    const answers: readonly (readonly [string, string, Reply])[] = [
      ['an error', 'EXISTS', failure('REDIS_REFUSED')],
      ['a 2', 'EXISTS', 2],
      ['nil', 'EXISTS', null],
      ['an error', 'ZSCORE', failure('REDIS_WRONG_TYPE')],
      ['a number', 'ZSCORE', 5],
      ['an error', 'TTL', failure('REDIS_REFUSED')],
      ['a text', 'TTL', '-1'],
    ]
    it.each(answers)('deletes nothing when a single answer is %s of %s', async (_, name, reply) => {
      await rig.fill()
      await rig.pass()
      rig.transport.onRequest = lastAnswer(name, reply)

      await expect(rig.pass()).rejects.toMatchObject({ name: 'RedisError' })

      rig.transport.onRequest = undefined
      expect((await rig.content()).keys).toHaveLength(fixtureKeys().length)
    })

    it('counts what was deleted beside a deletion that was refused', async () => {
      await rig.fill()
      await rig.pass()
      rig.transport.onRequest = lastAnswer('UNLINK', failure('REDIS_REFUSED'))
      let counts: OrphanCounts | undefined
      const onProgress = (now: OrphanCounts) => void (counts = now)

      await expect(rig.pass({ onProgress })).rejects.toMatchObject({ code: 'REDIS_REFUSED' })

      expect(counts?.runs.deleted).toBe(orphans.length - 1)
    })

    it('says that nobody knows how much went when a deletion gets no answer, and does not repeat it', async () => {
      await rig.fill()
      await rig.pass()
      rig.transport.forget()
      rig.transport.onRequest = spoil('UNLINK', lost)

      await expect(rig.pass()).rejects.toMatchObject({
        code: 'REDIS_UNREACHABLE',
        message: expect.stringContaining(`how many of the last ${orphans.length} runs`),
      })

      expect(rig.transport.sent().filter(([name]) => name === 'UNLINK')).toHaveLength(orphans.length)
    })

    it('does not take a deletion without an answer for one that was done', async () => {
      await rig.fill()
      await rig.pass()
      rig.transport.onRequest = spoil('UNLINK', async (_, carryOut) => (await carryOut()).slice(0, -1))

      await expect(rig.pass()).rejects.toMatchObject({ name: 'RedisError' })
    })

    it.each([
      ['what it remembers', [failure('REDIS_REFUSED'), 1]],
      ['the expiry of what it remembers', [1, failure('REDIS_REFUSED')]],
    ])('fails when Redis refuses %s', async (_, replies) => {
      await rig.fill()
      rig.transport.onRequest = spoil('ZADD', async () => replies)

      await expect(rig.pass()).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    })

    it('counts a key once that a scan brings twice', async () => {
      await rig.fill()
      rig.transport.onRequest = spoil('SCAN', async (_, carryOut) => {
        const [page = null] = await carryOut()
        const [next = null, keys = null] = listOf(page)
        return [[next, [...listOf(keys), ...listOf(keys)]]]
      })

      const { runs, idempotencyKeys } = await rig.pass()

      expect(runs).toMatchObject({ scanned: withState.length, seenOnce: orphans.length })
      expect(idempotencyKeys).toEqual({ scanned: 63, due: 9, expired: 9 })
    })

    it('does not count an idempotency key that expired since the scan', async () => {
      await rig.fill()
      rig.transport.onRequest = spoil('TTL', async (commands) => commands.map(() => -2))

      expect((await rig.pass()).idempotencyKeys).toEqual({ scanned: 0, due: 0, expired: 0 })
    })

    it('still makes room in a Redis that has none for its memory', async () => {
      await rig.fill()
      await rig.pass()
      const { id, keys } = aRun({ startedAt: NOW_MS - 48 * HOUR_MS, alive: ['metadata'] })
      await rig.store(keys)
      rig.transport.onRequest = full

      const { runs, hasRemembered } = await rig.pass()

      expect(hasRemembered).toBe(false)
      expect(runs).toMatchObject({ seenOnce: 1, deleted: orphans.length })
      expect((await rig.content()).keys).toContain(`{estate:${id}}:metadata:${id}`)
    })

    it.each(['-inf', '-5', '0.5'])('takes the score %s in its memory for none of its own', async (score) => {
      const { id, keys } = aRun({ startedAt: NOW_MS - 48 * HOUR_MS, alive: ['metadata'] })
      await rig.store(keys)
      await rig.transport.send([['ZADD', 'orderly:seen:inngest', score, id]])

      expect((await rig.pass({ database: databaseOf({}) })).runs).toMatchObject({ seenOnce: 1, due: 0 })
      expect((await rig.pass({ database: databaseOf({}) })).runs).toMatchObject({ seenOnce: 0, deleted: 1 })
    })
  },
  { own: false },
)
