import { describe, expect, it } from 'vitest'
import type { Command } from '../../../src/redis/transport.ts'
import { createMeter } from '../../../src/redis/meter.ts'
import { createExecutionsSweep } from '../../../src/sweeps/executions/executions-sweep.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { DAY_MS, executionsRig, HOUR_MS, leftBy, PREFIX, SEEN } from './executions-rig.ts'

const key = (rest: string) => PREFIX + rest

describeWithRedis(
  'the executions sweep',
  () => {
    const rig = executionsRig()
    const store = (...executions: readonly (readonly Command[])[]) => rig.ask(...executions.flat())

    it('removes all keys of an execution that has not changed for longer than a day, and no others', async () => {
      await store(leftBy('old'), [['SET', 'app1:else', 'true']], [['SET', 'app[1]', 'true']])
      await rig.sweep()
      await rig.ask(...leftBy('new'))

      const { report } = await rig.sweepAfter(DAY_MS + 1)

      expect(report).toMatchObject({ outcome: 'done', scanned: 2, due: 1, deleted: 1, kept: 1, keptOpen: 0 })
      expect(await rig.keys()).toEqual([key('new'), key('new-results'), key('new-transactions')])
      expect(await rig.ask(['EXISTS', 'app1:else'], ['EXISTS', 'app[1]'])).toEqual([1, 1])
    })

    it.each([
      ['without a result', leftBy('one', { committed: [] })],
      ['without a task under way', leftBy('one', { begun: [] })],
      ['that has only begun', leftBy('one', { begun: [], committed: [] })],
      ['with 2 000 results', leftBy('one', { committed: Array.from({ length: 2_000 }, (_, at) => `t${at}`) })],
      ['whose tasks have names of every kind', leftBy('one', { begun: ['', 'ü\0\n', '__proto__'], committed: ['"'] })],
    ])('removes an old execution %s', async (_, commands) => {
      await store(commands)
      await rig.sweep()

      const { report } = await rig.sweepAfter(DAY_MS + 1)

      expect(report).toMatchObject({ scanned: 1, deleted: 1 })
      expect(await rig.keys()).toEqual([])
    })

    it.each([
      ['transactions', leftBy('part', { isWhole: false, committed: [] })],
      ['results', leftBy('part', { isWhole: false, begun: [] })],
      ['transactions and results', leftBy('part', { isWhole: false })],
    ])('removes old %s without their execution', async (_, commands) => {
      await store(commands)
      await rig.sweep()

      const { report } = await rig.sweepAfter(DAY_MS + 1)

      expect(report).toMatchObject({ scanned: 1, deleted: 1, summary: expect.stringMatching(/and 1 partial one\.$/) })
      expect(await rig.keys()).toEqual([])
    })

    it('keeps an execution that has been unchanged for exactly a day', async () => {
      await store(leftBy('old'))
      await rig.sweep()

      expect((await rig.sweepAfter(DAY_MS)).report).toMatchObject({ deleted: 0, kept: 1 })
      expect((await rig.sweepAfter(1)).report).toMatchObject({ deleted: 1, kept: 0 })
    })

    it.each<readonly [string, Command]>([
      ['a task was begun', ['HSET', key('one-transactions'), 'c', 'true']],
      ['a task was given up', ['HDEL', key('one-transactions'), 'b']],
      ['a result was committed', ['HSET', key('one-results'), 'c', '1']],
      [
        'a result has taken the place of another',
        ['EVAL', "redis.call('HDEL', KEYS[1], 'a') redis.call('HSET', KEYS[1], 'c', '1')", 1, key('one-results')],
      ],
      ['it was disposed of in part', ['DEL', key('one')]],
      ['its results were removed', ['DEL', key('one-results')]],
    ])('lets the clock start anew when %s', async (_, step) => {
      await store(leftBy('one'))
      await rig.sweep()
      await rig.ask(step)

      expect((await rig.sweepAfter(2 * DAY_MS)).report).toMatchObject({ deleted: 0, keptOpen: 1 })
      expect((await rig.sweepAfter(DAY_MS)).report).toMatchObject({ deleted: 0, kept: 1 })
      expect((await rig.sweepAfter(1)).report).toMatchObject({ deleted: 1 })
    })

    it.each([
      ['itself', ['one']],
      ['its transactions', ['one-transactions']],
      ['its results', ['one-results']],
      ['all of its keys', ['one', 'one-transactions', 'one-results']],
    ])('leaves an execution to the expiry of %s, and forgets what it saw', async (_, expiring) => {
      await store(leftBy('one'))
      await rig.sweep()
      await rig.ask(...expiring.map((name): Command => ['EXPIRE', key(name), 100_000]))

      expect((await rig.sweepAfter(3 * DAY_MS)).report).toMatchObject({ deleted: 0, kept: 1 })
      expect(await rig.seen()).toEqual({})
      await rig.ask(...expiring.map((name): Command => ['PERSIST', key(name)]))
      expect((await rig.sweepAfter(3 * DAY_MS)).report).toMatchObject({ deleted: 0, kept: 1 })
    })

    it('keeps, counts and names what is no execution', async () => {
      await store(
        [['SET', key('text'), 'truth']],
        [['SET', key('long'), 'true'.repeat(1_000)]],
        [['RPUSH', key('list'), 'true']],
        [['HSET', key('hash'), 'a', 'true']],
        [['SET', key('text-results'), 'true']],
        [['SADD', key('set-transactions'), 'a']],
        [['SET', PREFIX, 'true']],
        [['HSET', key('-results'), 'a', '1']],
        [['HSET', key('a-results-results'), 'a', '1']],
        [['XADD', key('stream'), '*', 'a', 'b']],
      )
      const before = await rig.keys()
      await rig.sweep()

      const { report } = await rig.sweepAfter(3 * DAY_MS)

      // `text` and `text-results` are one execution, if they are any.
      expect(report).toMatchObject({ scanned: 9, due: 0, kept: 0, unreadable: { count: 9 } })
      expect(report.unreadable.sample).toHaveLength(5)
      expect(await rig.keys()).toEqual(before)
      expect(await rig.seen()).toEqual({})
    })

    it('forgets an execution of which nobody can tell any more what it is', async () => {
      await store(leftBy('one'))
      await rig.sweep()
      await rig.ask(['SET', key('one'), 'false'])
      await rig.sweepAfter(2 * DAY_MS)
      await rig.ask(['SET', key('one'), 'true'])

      expect((await rig.sweepAfter(HOUR_MS)).report).toMatchObject({ deleted: 0, kept: 1 })
    })

    it('keeps names whose bytes are no text', async () => {
      const bytes =
        "redis.call('SET', KEYS[1] .. '\\255\\254', 'true') redis.call('HSET', KEYS[1] .. '\\255-results', 'a', '1')"
      await rig.ask(['EVAL', bytes, 1, PREFIX])
      await rig.sweep()

      expect((await rig.sweepAfter(3 * DAY_MS)).report).toMatchObject({ scanned: 2, unreadable: { count: 2 } })
      // Those two and the memory.
      expect(await rig.ask(['DBSIZE'])).toEqual([3])
    })

    it('removes executions whose ids hold what patterns are made of', async () => {
      const ids = ['*', '?', '[a-z]', 'a\\*', 'a*-results-x', '{tag}', ' ', 'ü', '\n', '-', 'results', '__proto__']
      await store(...ids.map((id) => leftBy(id)))
      await rig.sweep()

      expect((await rig.sweepAfter(2 * DAY_MS)).report).toMatchObject({ deleted: ids.length, unreadable: { count: 0 } })
      expect(await rig.keys()).toEqual([])
      expect(await rig.seen()).toEqual({})
    })

    it('remembers nothing and deletes nothing in a dry run, which counts what the run that deletes then deletes', async () => {
      await store(leftBy('one'), leftBy('two', { isWhole: false }))
      const first = await rig.preview()
      expect(first.report).toMatchObject({ outcome: 'planned', due: 0, kept: 2 })
      expect(await rig.ask(['DBSIZE'])).toEqual([5])
      await rig.sweep()
      await store(leftBy('three'))
      await rig.timePasses(2 * DAY_MS)
      const seen = await rig.seen()

      const planned = await rig.preview()

      expect(planned.report).toMatchObject({ outcome: 'planned', due: 2, deleted: 0, kept: 1 })
      expect(await rig.seen()).toEqual(seen)
      expect(await rig.keys()).toHaveLength(8)
      const done = await rig.sweep()
      expect(done.report).toMatchObject({ outcome: 'done', due: 2, deleted: 2, kept: 1 })
      expect(done.report.parts?.map(({ due, kept, scanned }) => [due, kept, scanned])).toEqual(
        planned.report.parts?.map(({ due, kept, scanned }) => [due, kept, scanned]),
      )
    })

    it('counts in parts that add up', async () => {
      await store(leftBy('due'), leftBy('part', { isWhole: false }), leftBy('goes on'), leftBy('ends', {}))
      await rig.ask(['EXPIRE', key('ends'), 1_000_000], ['SET', key('odd'), 'x'])
      await rig.sweep()
      await rig.ask(['HSET', key('goes on-results'), 'z', '1'], ...leftBy('fresh'))

      const { report } = await rig.sweepAfter(2 * DAY_MS)

      expect(report).toMatchObject({
        scanned: 6,
        due: 2,
        deleted: 2,
        kept: 2,
        keptOpen: 1,
        unreadable: { count: 1, sample: [key('odd')] },
      })
      expect(report.parts).toEqual([
        {
          name: 'executions without expiry',
          scanned: 3,
          due: 1,
          deleted: 1,
          kept: 2,
          because: '1 kept: first seen; 1 kept: changed since they were seen',
        },
        { name: 'partial executions without expiry', scanned: 1, due: 1, deleted: 1, kept: 0, because: null },
        { name: 'executions with expiry', scanned: 1, due: 0, deleted: 0, kept: 1, because: 'their expiry ends them' },
      ])
      expect(report.summary).toBe('Deleted 1 execution that stopped changing and 1 partial one.')
    })

    it('judges by other days where a run asks for them', async () => {
      await store(leftBy('one'))
      await rig.sweep()
      await rig.timePasses(5 * DAY_MS)

      expect((await rig.sweep({ days: 7 })).report).toMatchObject({ deleted: 0, kept: 1, days: 7 })
      expect((await rig.sweep({ days: 4 })).report).toMatchObject({ deleted: 1, kept: 0 })
      await expect(rig.sweep({ days: 0 })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    })

    it('judges as of an earlier time', async () => {
      await store(leftBy('one'))
      await rig.sweep()
      const asOfMs = rig.clock() + DAY_MS
      await rig.timePasses(5 * DAY_MS)

      expect((await rig.sweep({ asOfMs })).report).toMatchObject({ deleted: 0, kept: 1 })
      expect((await rig.sweep({ asOfMs: asOfMs + 1 })).report).toMatchObject({ deleted: 1 })
    })

    it('remembers with an expiry longer than the greatest age, and forgets executions that have gone', async () => {
      await store(leftBy('one'), leftBy('two'))
      await rig.sweep({ days: 20 })
      expect(Object.keys(await rig.seen()).toSorted()).toEqual([key('one'), key('two')])
      const [ttl] = await rig.ask(['TTL', SEEN])
      expect(Number(ttl)).toBeGreaterThan(21 * 86_400)
      await rig.ask(['DEL', key('one'), key('one-results'), key('one-transactions')])

      await rig.sweepAfter(HOUR_MS)

      expect(Object.keys(await rig.seen())).toEqual([key('two')])
    })

    it.each(['x', '-5 0=0123456789abcdef', `${Date.UTC(2050, 0)} 0=0123456789abcdef`, '', '1 0=xyz'])(
      'takes %j in its memory for no proof',
      async (text) => {
        await store(leftBy('one'))
        await rig.sweep()
        await rig.ask(['HSET', SEEN, key('one'), text])

        expect((await rig.sweep()).report).toMatchObject({ deleted: 0 })
        expect((await rig.sweepAfter(DAY_MS)).report).toMatchObject({ deleted: 0 })
        expect((await rig.sweepAfter(1)).report).toMatchObject({ deleted: 1 })
      },
    )

    it('takes what it saw of a clock that ran ahead for no proof', async () => {
      await store(leftBy('one'))
      await rig.sweep()
      await rig.ask([
        'HSET',
        SEEN,
        key('one'),
        `${rig.clock() + 10 * DAY_MS} ${(await rig.seen())[key('one')]?.split(' ')[1]}`,
      ])

      expect((await rig.sweep()).report).toMatchObject({ deleted: 0, kept: 1 })
      expect((await rig.sweepAfter(DAY_MS + 1)).report).toMatchObject({ deleted: 1 })
    })

    it('costs what the server counted', async () => {
      await store(...Array.from({ length: 600 }, (_, at) => leftBy(`e${at}`)))
      await rig.sweep()
      await rig.timePasses(2 * DAY_MS)
      await rig.ask(['CONFIG', 'RESETSTAT'])

      const { report } = await rig.sweep()

      const text = String((await rig.ask(['INFO', 'commandstats']))[0])
      const counted = Object.fromEntries(
        [...text.matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm)].map(([, name = '', calls]) => [
          name.toUpperCase(),
          Number(calls),
        ]),
      )
      const { XADD: _, INFO: __, ...own } = report.commands
      const { INFO: ___, CONFIG: ____, ...server } = counted
      expect(report.deleted).toBe(600)
      expect(own).toEqual({ ...server })
      // 3 for itself, its transactions and results; 600 executions in 3 batches at least.
      expect(report.commands).toMatchObject({ UNLINK: 600, HDEL: 600 })
      expect(report.requests).toBeLessThan(25)
    })

    it('stops at its cap, and the next run goes on', async () => {
      await store(...Array.from({ length: 40 }, (_, at) => leftBy(`e${at}`)))
      await rig.sweep()
      await rig.timePasses(2 * DAY_MS)

      const { report, code } = await rig.sweep({ maxCommands: 400 })

      expect(code).toBe('CAP_REACHED')
      expect(report.billedCommands).toBeLessThanOrEqual(400)
      expect(report.deleted).toBeGreaterThan(0)
      expect(report.deleted).toBeLessThan(40)
      expect((await rig.sweep()).report.deleted).toBe(40 - report.deleted)
    })

    it.each([9, 40])('says which cap suffices where %d commands do not', async (maxCommands) => {
      await store(leftBy('one'))

      const { report, code } = await rig.sweep({ maxCommands })

      expect({ code, because: report.because }).toEqual({
        code: 'CAP_REACHED',
        because: expect.stringContaining('30 billed commands for each and 100 more'),
      })
    })

    it('needs no more than the cap that it tells', async () => {
      await store(...Array.from({ length: 40 }, (_, at) => leftBy(`e${at}`)))
      const maxCommands = 40 * 30 + 100

      expect(await rig.sweep({ maxCommands })).toMatchObject({ code: null, report: { kept: 40 } })
      await rig.timePasses(2 * DAY_MS)
      expect(await rig.sweep({ maxCommands })).toMatchObject({ code: null, report: { deleted: 40 } })
    })

    it('goes on without a memory that has no room, and says so', async () => {
      await store(leftBy('old'))
      await rig.sweep()
      await store(leftBy('new'))
      await rig.timePasses(2 * DAY_MS)
      const [used] = await rig.ask(['INFO', 'memory'])
      const bytes = Number(/^used_memory:(\d+)/m.exec(String(used))?.[1])
      await rig.ask(['CONFIG', 'SET', 'maxmemory', Math.floor(bytes / 2)])
      try {
        const { report } = await rig.sweep()

        expect(report).toMatchObject({
          outcome: 'done',
          deleted: 1,
          kept: 1,
          because: expect.stringContaining('no room to remember'),
        })
      } finally {
        await rig.ask(['CONFIG', 'SET', 'maxmemory', 0])
      }
    })

    it('fails, and deletes nothing, where its memory is something else', async () => {
      await store(leftBy('one'), [['SET', SEEN, 'x']])

      expect(await rig.sweep()).toMatchObject({ code: 'REDIS_WRONG_TYPE', report: { outcome: 'failed', deleted: 0 } })
      expect(await rig.preview()).toMatchObject({ code: 'REDIS_WRONG_TYPE' })
    })
  },
  { own: true },
)

describe('the prefix of executions', () => {
  const refused = ['', 'o', 'order', 'orderly', 'orderly:', 'orderly:seen:', 'orderly:seen:executions', 'orderly:x:']
  const config = { redisUrl: 'redis://127.0.0.1', maxAgeDays: 1, schedule: { pattern: '* * * * *', zone: 'UTC' } }
  const create = (prefix: string) =>
    createExecutionsSweep({ config: { ...config, prefix }, clock: () => 0, meter: createMeter(async () => []) })

  it.each(refused)('must not be %j, with which keys of Orderly itself begin', (prefix) => {
    expect(() => create(prefix)).toThrow(expect.objectContaining({ code: 'BAD_CONFIGURATION' }))
  })

  it.each(['orders-', 'app:', 'ordera', 'orderly', '*'].filter((prefix) => !refused.includes(prefix)))(
    'may be %j',
    (prefix) => {
      expect(create(prefix).name).toBe('executions')
    },
  )
})
