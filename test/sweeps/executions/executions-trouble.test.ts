import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listOf, type Command } from '../../../src/redis/transport.ts'
import { createMeter } from '../../../src/redis/meter.ts'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import { createExecutionsSweep } from '../../../src/sweeps/executions/executions-sweep.ts'
import { createFindings } from '../../../src/sweeps/report.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../../support/redis-server.ts'
import { failure, lost, lostReply, spoil, type OnRequest } from '../../support/transport.ts'
import { DAY_MS, executionsRig, HOUR_MS, leftBy, PREFIX } from './executions-rig.ts'

const key = (rest: string) => PREFIX + rest

/** Requests pass until `count` of them were sent; all later ones end as `last` says. */
function failingAfter(count: number, last: OnRequest): OnRequest & { hasFailed(): boolean } {
  let left = count
  const onRequest: OnRequest = async (commands, carryOut) => {
    left -= 1
    return left >= 0 ? await carryOut() : await last(commands, carryOut)
  }
  return Object.assign(onRequest, { hasFailed: () => left < 0 })
}

const isRemoval = ([name, lua]: Command) => name === 'EVAL' && String(lua).includes('UNLINK')

const manyFrom = (from: number) =>
  Array.from({ length: 1_000 }, (_, at) => leftBy(`e${from + at}`, { isWhole: at % 2 === 0 })).flat()

describeWithRedis(
  'an executions sweep that meets trouble',
  () => {
    const rig = executionsRig()

    /** Old executions, whole and partial, more than are judged together, and others that must stay. */
    const fill = async () => {
      const old = Array.from({ length: 300 }, (_, at) => leftBy(`old${at}`, { isWhole: at % 3 > 0 }))
      await rig.ask(['FLUSHDB'], ...old.flat(), ...leftBy('lively'), ...leftBy('ends'), [
        'EXPIRE',
        key('ends'),
        9_000_000,
      ])
      await rig.ask(['SET', key('odd'), 'x'])
    }
    const STAYING = [
      'ends',
      'ends-results',
      'ends-transactions',
      'lively',
      'lively-results',
      'lively-transactions',
      'odd',
    ]
    /** That no execution lost a part of its keys only. */
    const expectWhole = async () => {
      const left = new Set(await rig.keys())
      for (let at = 0; at < 300; at++) {
        const names = [...(at % 3 > 0 ? [''] : []), '-transactions', '-results'].map((end) => key(`old${at}${end}`))
        expect([0, names.length]).toContain(names.filter((name) => left.has(name)).length)
      }
    }
    const expectOnlyStaying = async () => expect(await rig.keys()).toEqual(STAYING.map(key))
    /** A run that ends at a request; whether it did. */
    const failingSweep = async (count: number, last: OnRequest | 'interrupted') => {
      const interrupt = new AbortController()
      const failing = failingAfter(count, async (commands, carryOut) => {
        if (last !== 'interrupted') return await last(commands, carryOut)
        interrupt.abort()
        return await carryOut()
      })
      rig.transport.onRequest = failing
      await rig.sweep({ signal: interrupt.signal })
      rig.transport.onRequest = undefined
      // The lock of a run whose release failed runs out by itself.
      await rig.ask(['DEL', 'orderly:lock:executions'])
      return failing.hasFailed()
    }
    const step: Command = ['HSET', key('lively-results'), 'more', '1']

    const ends: readonly (readonly [string, OnRequest | 'interrupted'])[] = [
      ['interrupted at', 'interrupted'],
      ['cut off before', lost],
      ['cut off after', lostReply],
    ]
    it.each(ends)(
      'ends the same when the first run is %s any request',
      async (_, last) => {
        let count = 0
        for (let hasFailed = true; hasFailed; count += 1) {
          await fill()
          hasFailed = await failingSweep(count, last)
          await rig.sweepAfter(HOUR_MS)
          await rig.ask(step)
          await rig.sweepAfter(DAY_MS + 1)
          await expectOnlyStaying()
        }
        expect(count).toBeGreaterThan(8)
      },
      60_000,
    )

    it.each(ends)(
      'leaves no execution half deleted when the run that deletes is %s any request',
      async (_, last) => {
        let count = 0
        for (let hasFailed = true; hasFailed; count += 1) {
          await fill()
          await rig.sweep()
          await rig.ask(step)
          await rig.timePasses(DAY_MS + 1)
          hasFailed = await failingSweep(count, last)
          await expectWhole()
          await rig.sweep()
          await expectOnlyStaying()
          expect(Object.keys(await rig.seen())).toEqual([key('lively')])
        }
        expect(count).toBeGreaterThan(8)
      },
      60_000,
    )

    it('says that nobody knows how much went when a deletion gets no answer', async () => {
      await fill()
      await rig.sweep()
      await rig.timePasses(2 * DAY_MS)
      rig.transport.onRequest = async (commands, carryOut) => {
        if (commands.some(isRemoval)) throw failure('REDIS_UNREACHABLE')
        return await carryOut()
      }

      const { report, code } = await rig.sweep()

      expect(code).toBe('REDIS_UNREACHABLE')
      expect(report).toMatchObject({
        outcome: 'failed',
        deleted: 0,
        because: expect.stringMatching(/unknown how many/),
      })
    })

    const changes: readonly (readonly [string, readonly Command[]])[] = [
      ['makes a step', [['HSET', key('one-results'), 'c', '1']]],
      ['begins a task', [['HSET', key('one-transactions'), 'c', 'true']]],
      ['gets an expiry', [['EXPIRE', key('one-results'), 1_000]]],
      [
        'is begun anew',
        [
          ['DEL', key('one-results')],
          ['DEL', key('one-transactions')],
          ['SET', key('one'), 'true'],
        ],
      ],
      ['becomes something else', [['SET', key('one'), 'else']]],
    ]
    it.each(changes)('keeps an execution that %s between the look and the deletion', async (_, commands) => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      await rig.timePasses(2 * DAY_MS)
      rig.transport.onRequest = spoil('HMGET', async (__, carryOut) => {
        const replies = await carryOut()
        await rig.ask(...commands)
        return replies
      })

      const { report } = await rig.sweep()

      expect(report).toMatchObject({ outcome: 'done', scanned: 1, due: 0, deleted: 0, keptOpen: 1 })
      expect(await rig.keys()).toContain(key('one'))
    })

    it('counts an execution nowhere that somebody disposes of between the look and the deletion', async () => {
      await rig.ask(...leftBy('one'))
      await rig.sweep()
      await rig.timePasses(2 * DAY_MS)
      rig.transport.onRequest = spoil('HMGET', async (_, carryOut) => {
        const replies = await carryOut()
        await rig.ask(['DEL', key('one'), key('one-transactions'), key('one-results')])
        return replies
      })

      const { report } = await rig.sweep()

      expect(report).toMatchObject({ outcome: 'done', scanned: 0, due: 0, deleted: 0, kept: 0, keptOpen: 0 })
    })

    it('counts an execution once that a scan brings twice', async () => {
      await fill()
      await rig.sweep()
      await rig.timePasses(2 * DAY_MS)
      rig.transport.onRequest = spoil(
        'SCAN',
        async (_, carryOut) => {
          const [next = null, keys = null] = listOf((await carryOut())[0] as never)
          return [[next, [...listOf(keys), ...listOf(keys)]]]
        },
        Infinity,
      )

      const { report } = await rig.sweep()

      expect(report).toMatchObject({ scanned: 303, deleted: 301, kept: 1, unreadable: { count: 1 } })
    })

    it.each<readonly [string, OnRequest]>([
      [
        'the look is refused',
        spoil('HMGET', async (_, carryOut) => [failure('REDIS_REFUSED'), ...(await carryOut()).slice(1)]),
      ],
      [
        'the look is another text',
        spoil('HMGET', async (_, carryOut) => [['0', 'due'], ...(await carryOut()).slice(1)]),
      ],
      [
        'the memory is refused',
        spoil('HMGET', async (_, carryOut) => [...(await carryOut()).slice(0, 1), failure('REDIS_REFUSED')]),
      ],
      ['the memory is a number', spoil('HMGET', async (_, carryOut) => [...(await carryOut()).slice(0, 1), [5, 5]])],
      ['a request is answered in part', spoil('HMGET', async () => [])],
    ])('deletes nothing when %s', async (_, onRequest) => {
      await rig.ask(...leftBy('one'), ...leftBy('two'))
      await rig.sweep()
      await rig.timePasses(2 * DAY_MS)
      rig.transport.onRequest = onRequest

      expect((await rig.sweep()).report).toMatchObject({ outcome: 'failed', deleted: 0 })

      expect(await rig.keys()).toHaveLength(6)
    })

    it('finds each of very many executions once, also those that it cannot remember', async () => {
      for (let from = 0; from < 6_000; from += 1_000) await rig.ask(...manyFrom(from))
      await rig.sweep()
      const populate = "for at = 1, 200000 do redis.call('SET', KEYS[1] .. at, 'x') end"
      await rig.ask(['EVAL', populate, 1, key('other:')])

      await rig.timePasses(2 * DAY_MS)

      // A run that deletes would not meet the other keys of an execution again.
      const { report } = await rig.preview()

      expect(report).toMatchObject({ scanned: 206_000, due: 6_000, kept: 0, unreadable: { count: 200_000 } })
      expect(report.because).toMatch(/more than 200000 executions/)
    }, 120_000)
  },
  { own: true },
)

describe('executions in a Redis Cluster', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer({ args: ['--cluster-enabled', 'yes'] })
  })
  afterAll(async () => server.stop())

  it('are refused, for the keys of one lie in several places', async () => {
    const { send, close } = createTcpConnection({ url: server.url, deadlineMs: 20_000 })
    const schedule = { pattern: '37 * * * *', zone: 'UTC' }
    const config = { redisUrl: server.url, prefix: PREFIX, maxAgeDays: 1, schedule }
    const sweep = createExecutionsSweep({ config, clock: () => 0, meter: createMeter(send) })

    const run = sweep.run({
      cutoffMs: 0,
      extendedCutoffMs: 0,
      asOfMs: 0,
      days: undefined,
      organization: undefined,
      queue: undefined,
      dryRun: true,
      send,
      goOn: async () => {},
      during: (work) => work,
      left: () => Infinity,
      findings: createFindings(),
      onProgress: () => {},
    })

    await expect(run).rejects.toMatchObject({
      code: 'REDIS_REFUSED',
      message: expect.stringContaining('Redis Cluster'),
    })
    await close()
  })
})
