import { beforeEach, expect, it } from 'vitest'
import { createRedisStore, type PlainRedis } from '../../src/executions/index.ts'
import { redisOfSuite } from '../support/redis-of-suite.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { isErrorReply, textReply } from '../support/resp.ts'

const TTL_MS = 3_600_000
const ID = 'x'
const TASKS = ['charge', 'ship', 'tell']

describeWithRedis(
  'eight plain methods',
  () => {
    const server = redisOfSuite()
    let sent: string[] = []
    /** Carries out so many commands more; the next one fails, after it was carried out where `isLost`. */
    let cut: { left: number; readonly isLost: boolean } | undefined

    const send = async (...words: readonly string[]) => {
      const [reply = null] = await server.call([words])
      if (isErrorReply(reply)) throw new Error(reply.error)
      return textReply(reply)
    }
    const sendUntilCut = async (...words: readonly string[]) => {
      if (cut !== undefined && cut.left-- === 0) {
        if (cut.isLost) await send(...words)
        throw new Error('cut')
      }
      sent.push(words.join(' '))
      return send(...words)
    }
    const redis: PlainRedis = {
      set: (key, value) => sendUntilCut('SET', key, value),
      get: (key) => sendUntilCut('GET', key),
      hset: (key, fields) => sendUntilCut('HSET', key, ...Object.entries(fields).flat()),
      hget: (key, field) => sendUntilCut('HGET', key, field),
      hdel: (key, field) => sendUntilCut('HDEL', key, field),
      hgetall: (key) => sendUntilCut('HGETALL', key),
      del: (key) => sendUntilCut('DEL', key),
      expire: (key, seconds) => sendUntilCut('EXPIRE', key, String(seconds)),
    }
    const lives = () => Promise.all([ID, `${ID}-transactions`, `${ID}-results`].map((key) => send('TTL', key)))

    beforeEach(async () => {
      await server.flush()
      sent = []
      cut = undefined
    })

    it('are asked in the order that does least harm: each write before its expiry, the result before its mark', async () => {
      const store = createRedisStore(redis, { ttl: TTL_MS })
      await store.beginExecution(ID)
      await store.beginExecutionTask(ID, 'pay')
      await store.commitExecutionTaskResult(ID, 'pay', 1)
      await store.disposeExecution(ID)

      expect(sent.filter((command) => !/^H?GET /.test(command))).toEqual([
        'SET x true',
        'EXPIRE x 3600',
        'EXPIRE x-transactions 3600',
        'EXPIRE x-results 3600',
        'HSET x-transactions pay true',
        'EXPIRE x-transactions 3600',
        'EXPIRE x-results 3600',
        'EXPIRE x 3600',
        'HSET x-results pay 1',
        'EXPIRE x-results 3600',
        'HDEL x-transactions pay',
        'EXPIRE x-transactions 3600',
        'EXPIRE x 3600',
        'DEL x',
        'DEL x-transactions',
        'DEL x-results',
      ])
    })

    /** A worker's work: what has a result is not run again. Each run of a task has another result. */
    const work = async (run: string) => {
      const store = createRedisStore(redis, { ttl: TTL_MS })
      await store.beginExecution(ID)
      const results = await store.getExecutionTaskResults(ID)
      for (const task of TASKS.filter((one) => !(one in results))) {
        await store.beginExecutionTask(ID, task)
        await store.commitExecutionTaskResult(ID, task, `${task} ${run}`)
      }
      return store
    }

    it.each([false, true])(
      'lose no result and leave no key without expiry wherever a worker is cut off and another goes on (reply lost: %s)',
      async (isLost) => {
        await work('uncut')
        const commands = sent.length
        expect(commands).toBeGreaterThan(30)

        for (let left = 0; left < commands; left++) {
          await server.flush()
          cut = { left, isLost }
          await expect(work('first')).rejects.toThrow('cut')
          cut = undefined
          const before = await send('HGETALL', `${ID}-results`)
          const store = await work('second')

          const after = await send('HGETALL', `${ID}-results`)
          expect(after).toEqual(expect.arrayContaining(Array.isArray(before) ? before : []))
          expect(Object.keys(await store.getExecutionTaskResults(ID)).toSorted()).toEqual(TASKS)
          for (const seconds of await lives()) expect(seconds).not.toBe(-1)
          await store.disposeExecution(ID)
          expect(await lives()).toEqual([-2, -2, -2])
        }
      },
    )
  },
  { own: false },
)
