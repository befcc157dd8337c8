import { Queue, Worker } from 'bullmq'
import { expect, it } from 'vitest'
import type { Command, Transport } from '../../../src/redis/transport.ts'
import { describeWithRedis, startRedisServer } from '../../support/redis-server.ts'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import { sweepOrphans } from '../../../src/sweeps/bullmq/orphans.ts'
import type { OrphanCounts } from '../../../src/sweeps/bullmq/orphans-tally.ts'
import { CUTOFF_MS, job, OLD_MS, queueRig } from './orphans-rig.ts'

const PARENT = { parentKey: 'bull:mails:parent', parent: '{"id":"parent","queueKey":"bull:mails"}' }

describeWithRedis(
  'orphaned job hashes',
  () => {
    const rig = queueRig()

    it('go with all that BullMQ keeps beside them, and nothing else does', async () => {
      await rig.run(
        job('17', { finishedOn: OLD_MS, deid: 'once' }),
        ['RPUSH', 'bull:mails:17:logs', 'a'],
        ['SADD', 'bull:mails:17:dependencies', 'bull:mails:gone'],
        ['HSET', 'bull:mails:17:processed', 'bull:mails:gone', '1'],
        ['HSET', 'bull:mails:17:failed', 'bull:mails:gone', 'why'],
        ['ZADD', 'bull:mails:17:unsuccessful', 1, 'bull:mails:gone'],
        ['SET', 'bull:mails:de:once', '17'],
      )
      await rig.run(job('18'), ['ZADD', 'bull:mails:completed', 1, '18'], ['HSET', 'bull:mails:meta', 'x', '1'])
      await rig.run(['SET', 'bull:mails:de:other', '17'], ['SET', 'bull:mails:id', '18'], job('17', {}, 'bull:news:'))

      const counts = await rig.pass()

      expect(counts).toEqual({ scanned: 1, due: 1, deleted: 1, kept: 0, unreadable: 0, because: null })
      const left = ['18', 'completed', 'de:other', 'id', 'meta'].map((rest) => `bull:mails:${rest}`)
      expect(await rig.keys()).toEqual([...left, 'bull:news:17'])
    })

    const known: Record<string, readonly Command[]> = {
      'the list of waiting jobs': [['RPUSH', 'bull:mails:wait', '17']],
      'the list of active jobs': [['RPUSH', 'bull:mails:active', '17']],
      'the list of paused jobs of BullMQ 5': [['RPUSH', 'bull:mails:paused', '17']],
      'the delayed jobs': [['ZADD', 'bull:mails:delayed', 1, '17']],
      'the jobs by priority': [['ZADD', 'bull:mails:prioritized', 1, '17']],
      'the jobs by priority of BullMQ 3': [['ZADD', 'bull:mails:priority', 1, '17']],
      'the parents that wait': [['ZADD', 'bull:mails:waiting-children', 1, '17']],
      'the completed jobs': [['ZADD', 'bull:mails:completed', 1, '17']],
      'the failed jobs': [['ZADD', 'bull:mails:failed', 1, '17']],
      'the jobs that may be stalled': [['SADD', 'bull:mails:stalled', '17']],
      'a worker that holds its lock': [['SET', 'bull:mails:17:lock', 'token']],
      'a state of a type that it never has': [['SET', 'bull:mails:completed', 'x']],
    }

    it.each(Object.entries(known))('stay while %s knows them', async (_, commands) => {
      await rig.run(job('17'), ...commands)

      expect(await rig.pass()).toMatchObject({ scanned: 0, deleted: 0 })
      expect(await rig.keys()).toContain('bull:mails:17')
    })

    const needed: Record<string, readonly Command[]> = {
      'a live parent waits for it': [
        job('17', PARENT),
        job('parent'),
        ['ZADD', 'bull:mails:waiting-children', 1, 'parent'],
        ['SADD', 'bull:mails:parent:dependencies', 'bull:mails:17'],
      ],
      'a live parent in another queue waits for it': [
        job('17', { parentKey: 'x:{news}:parent', parent: '{}' }),
        job('parent', {}, 'x:{news}:'),
        ['RPUSH', 'x:{news}:active', 'parent'],
        ['SADD', 'x:{news}:parent:dependencies', 'bull:mails:17'],
      ],
      'a live child in another queue names it': [
        job('17'),
        ['HSET', 'bull:mails:17:processed', 'bull:news:1', '1'],
        job('1', { parentKey: 'bull:mails:17' }, 'bull:news:'),
        ['ZADD', 'bull:news:completed', 1, '1'],
      ],
      'a live child that is yet to run names it': [
        job('17'),
        ['SADD', 'bull:mails:17:dependencies', 'bull:mails:1'],
        job('1', { parentKey: 'bull:mails:17' }),
        ['RPUSH', 'bull:mails:wait', '1'],
      ],
      'a next job waits for the end of its deduplication': [
        job('17', { deid: 'once' }),
        ['SET', 'bull:mails:de:once', '17'],
        ['HSET', 'bull:mails:dn:once', 'name', 'n', 'data', '{}', 'opts', '{}'],
      ],
    }

    it.each(Object.entries(needed))('stay and are counted when %s', async (_, commands) => {
      await rig.run(...commands)
      const before = await rig.content()

      expect(await rig.pass()).toMatchObject({
        scanned: 1,
        due: 0,
        kept: 1,
        because: '1 kept: a live job of their flow, or the next job of their deduplication, needs them',
      })
      expect(await rig.content()).toEqual(before)
    })

    it('that are parent and child of each other go together', async () => {
      await rig.run(
        job('17', PARENT),
        job('parent'),
        ['SADD', 'bull:mails:parent:dependencies', 'bull:mails:17'],
        ['HSET', 'bull:mails:parent:processed', 'bull:mails:16', '1'],
        job('16', PARENT),
      )

      expect(await rig.pass()).toMatchObject({ due: 3, deleted: 3 })
      expect(await rig.keys()).toEqual([])
    })

    it.each([
      ['just before the cutoff', { timestamp: CUTOFF_MS - 1 }, { deleted: 1 }],
      ['exactly at the cutoff', { timestamp: CUTOFF_MS }, { scanned: 0, deleted: 0 }],
      ['added long ago but finished at the cutoff', { finishedOn: CUTOFF_MS }, { scanned: 0, deleted: 0 }],
      ['added long ago but taken up at the cutoff', { processedOn: CUTOFF_MS }, { scanned: 0, deleted: 0 }],
      ['of a time in seconds', { timestamp: 1_700_000_000 }, { scanned: 1, unreadable: 1, deleted: 0 }],
      ['of a time that is none', { timestamp: 'soon' }, { scanned: 1, unreadable: 1, deleted: 0 }],
      ['of which one time of three is none', { processedOn: '' }, { scanned: 1, unreadable: 1, deleted: 0 }],
    ] as const)('are judged by the newest of their own times: %s', async (_, fields, counts) => {
      await rig.run(job('17', fields))

      expect(await rig.pass()).toMatchObject(counts)
      expect(await rig.keys()).toHaveLength(counts.deleted === 1 ? 0 : 1)
    })

    const oddIds = [
      'metrics',
      'a:b:c',
      'groß 漢字 🚚',
      'with space',
      '*?[x]\\',
      'logs',
      '17:logs',
      'dn',
      'de:a:b',
      'repeat:a:1',
      '-1',
      '0:1',
    ]

    it.each(oddIds)('go under the odd id %j and stay while it is known', async (id) => {
      await rig.run(
        job(id),
        job('17'),
        ['RPUSH', 'bull:mails:17:logs:logs', 'x'],
        ['RPUSH', 'bull:mails:wait', id, '17'],
      )
      const before = await rig.content()

      expect(await rig.pass()).toMatchObject({ scanned: 0 })
      expect(await rig.content()).toEqual(before)

      await rig.run(['LREM', 'bull:mails:wait', 0, id])
      expect(await rig.pass()).toMatchObject({ deleted: 1 })
      expect(await rig.keys()).not.toContain(`bull:mails:${id}`)
      expect(await rig.keys()).toContain('bull:mails:17')
    })

    it('named as a word of BullMQ never take its keys along', async () => {
      await rig.run(
        ...['metrics', 'dn', 'repeat:a', 'meta', 'id:x'].map((id) => job(id)),
        ['HSET', 'bull:mails:metrics:failed', 'count', '3', 'prevTS', '1'],
        ['HSET', 'bull:mails:metrics:completed', 'count', '3'],
        ['RPUSH', 'bull:mails:metrics:failed:data', '1'],
        ['HSET', 'bull:mails:dn:failed', 'name', 'n', 'data', '{}', 'opts', '{}'],
        ['HSET', 'bull:mails:repeat:a:failed', 'name', 'n', 'opts', '{}'],
        ['ZADD', 'bull:mails:repeat', 5, 'a:failed'],
      )
      const own = [
        'dn:failed',
        'meta',
        'metrics:completed',
        'metrics:failed',
        'metrics:failed:data',
        'repeat',
        'repeat:a:failed',
      ]

      expect(await rig.pass()).toMatchObject({ deleted: 4 })
      expect(await rig.keys()).toEqual(own.map((rest) => `bull:mails:${rest}`))
    })

    it('stay when they are the next job of a scheduler, whose list somebody deleted', async () => {
      const queue = new Queue('mails', { connection: rig.connection })
      await queue.upsertJobScheduler('nightly', { every: 3_600_000 }, { name: 'send' })
      await queue.close()
      await rig.run(['DEL', 'bull:mails:delayed', 'bull:mails:wait'])
      const before = await rig.content()

      expect(await rig.pass({ cutoffMs: Date.now() + 1 })).toMatchObject({ deleted: 0 })
      expect(await rig.content()).toEqual(before)
    })

    it('are all that somebody leaves who deletes the finished jobs of a real queue', async () => {
      const queue = new Queue('mails', { connection: rig.connection })
      const worker = new Worker(
        'mails',
        async (one) => {
          await one.log('tried')
          if (one.data.fails === true) throw new Error('no')
        },
        { connection: rig.connection, metrics: { maxDataPoints: 10 }, concurrency: 10 },
      )
      await queue.addBulk(Array.from({ length: 60 }, (_, at) => ({ name: 'send', data: { fails: at % 2 === 0 } })))
      await expect
        .poll(() => queue.getJobCounts('completed', 'failed'), { timeout: 15_000 })
        .toEqual({ completed: 30, failed: 30 })
      await worker.close()
      await rig.run(['DEL', 'bull:mails:completed', 'bull:mails:failed'])

      const counts = await rig.pass({ cutoffMs: Date.now() + 1 })

      expect(counts).toMatchObject({ scanned: 60, deleted: 60 })
      const metrics = ['metrics:completed', 'metrics:failed'].map((rest) => `bull:mails:${rest}`)
      expect(await rig.keys()).toEqual(
        expect.arrayContaining([...metrics, 'bull:mails:events', 'bull:mails:id', 'bull:mails:meta']),
      )
      expect((await rig.keys()).filter((key) => /:\d+(:|$)/.test(key))).toEqual([])
      await queue.close()
    })

    it('are told from jobs that workers take up, run, repeat and finish meanwhile', async () => {
      const queue = new Queue('mails', { connection: rig.connection })
      const ran = new Set<string>()
      const worker = new Worker(
        'mails',
        async ({ id = '', attemptsMade }) => {
          if (attemptsMade === 0) throw new Error('once more')
          ran.add(id)
        },
        { connection: rig.connection, concurrency: 5 },
      )
      const ids = Array.from({ length: 300 }, (_, at) => `job-${at}`)
      await queue.addBulk(
        ids.map((jobId) => ({ name: 'send', data: {}, opts: { jobId, attempts: 2, timestamp: OLD_MS } })),
      )
      const cutoffMs = Date.now() + 3_600_000
      let [passes, deleted] = [0, 0]
      while (ran.size < ids.length && passes < 5_000) {
        deleted += (await rig.pass({ cutoffMs })).deleted
        passes += 1
      }

      await expect.poll(() => queue.getJobCountByTypes('completed'), { timeout: 15_000 }).toBe(ids.length)
      expect({ ran: ran.size, deleted }).toEqual({ ran: ids.length, deleted: 0 })
      expect(passes).toBeGreaterThan(1)
      await worker.close()
      await queue.close()
    })

    it('are counted alike by a dry run, which writes nothing', async () => {
      await rig.run(job('17'), job('18', { timestamp: 'x' }), job('19', PARENT), ['RPUSH', 'bull:mails:99:logs', 'x'])
      const before = await rig.content()

      const dry = await rig.pass({ isDryRun: true })

      expect(await rig.content()).toEqual(before)
      expect(dry).toMatchObject({ scanned: 3, due: 2, deleted: 0, unreadable: 1 })
      expect({ ...dry, deleted: 2 }).toEqual(await rig.pass())
    })

    it('leave nothing judged by what is kept beside jobs that are gone: that is counted and stays', async () => {
      await rig.run(['RPUSH', 'bull:mails:99:logs', 'x'], ['HSET', 'bull:mails:99:processed', 'a', '1'])

      expect(await rig.pass()).toMatchObject({
        scanned: 0,
        because: '2 keys kept, logs or children of jobs that are gone',
      })
      expect(await rig.keys()).toHaveLength(2)
    })

    it.each([
      ['a list of an unknown kind', ['RPUSH', 'bull:mails:groups:7', '17']],
      ['the queue of another prefix inside', ['ZADD', 'bull:mails:inner:completed', 1, '17']],
    ] as const)('all stay in a queue with %s', async (_, command) => {
      await rig.run(job('17'), job('inner:17'), [...command])

      expect(await rig.pass()).toMatchObject({
        scanned: 2,
        kept: 2,
        deleted: 0,
        because: '2 kept: the queue has keys of an unknown kind, which may know them',
      })
    })

    it('of a queue inside of another prefix are no jobs of the outer one', async () => {
      await rig.run(job('17', {}, 'bull:mails:inner:'), ['SET', 'bull:mails:inner:id', '17'])

      expect(await rig.pass()).toMatchObject({ scanned: 0 })
    })

    it('are looked for in all queues by one scan, and in no other', async () => {
      const names = ['a', 'b', 'c*']
      await rig.run(...names.map((name) => job('17', {}, `bull:${name}:`)), job('17', {}, 'bull:cd:'))
      const sent: string[] = []
      const send: Transport = (commands) => {
        sent.push(...commands.map(([name]) => name))
        return rig.send(commands)
      }

      const counts = await sweepOrphans({
        send,
        prefix: 'bull',
        queues: ['a', 'c*'],
        cutoffMs: CUTOFF_MS,
        isDryRun: false,
      })

      expect([...counts].map(([name, { deleted }]) => [name, deleted])).toEqual([
        ['a', 1],
        ['c*', 1],
      ])
      expect(await rig.keys()).toEqual(['bull:b:17', 'bull:cd:17'])
      expect(sent.filter((name) => name === 'SCAN')).toHaveLength(1)
    })

    it('of which more are found than may wait are left for the next run, behind any number of live jobs', async () => {
      const ids = Array.from({ length: 6_000 }, (_, at) => String(at))
      await rig.run(...ids.map((id) => job(id)), ['RPUSH', 'bull:mails:wait', ...ids.slice(0, 4_000)])
      const first = await rig.pass({ mostSuspects: 500 })
      let { deleted } = first
      for (let passes = 0; passes < 20 && deleted < 2_000; passes += 1) {
        deleted += (await rig.pass({ mostSuspects: 500 })).deleted
      }

      expect(first.because).toBe('more are left for the next run')
      expect(first.deleted).toBeGreaterThan(0)
      expect(deleted).toBe(2_000)
      expect(await rig.keys()).toHaveLength(4_001)
    })

    it('cost an EVAL for 250 keys and an LRANGE for 5 000 waiting jobs, but none for each job that waits long', async () => {
      const ids = Array.from({ length: 900 }, (_, at) => String(at))
      await rig.run(...ids.map((id) => job(id)), ['RPUSH', 'bull:mails:wait', ...ids])
      const sent: string[] = []
      const send: Transport = (commands) => {
        sent.push(...commands.map(([name]) => name))
        return rig.send(commands)
      }

      await rig.pass({ send })

      expect(sent.filter((name) => name === 'LRANGE')).toHaveLength(1)
      expect(sent.filter((name) => name === 'EVAL').length).toBeLessThanOrEqual(5)
    })

    it('are told to the end, also when the last look finds nothing to judge', async () => {
      await rig.run(['RPUSH', 'bull:mails:gone:logs', 'x'])
      const told: ReadonlyMap<string, OrphanCounts>[] = []

      await rig.pass({ onProgress: (counts) => void told.push(counts) })

      expect(told.at(-1)?.get('mails')?.because).toBe('1 keys kept, logs or children of jobs that are gone')
    })

    it('of many queues cost no more EVALs than those of one with as many keys, and one for each queue', async () => {
      const names = Array.from({ length: 10 }, (_, at) => `q${at}`)
      for (const name of names) {
        const jobs = Array.from({ length: 300 }, (_, at) => job(String(at), {}, `bull:${name}:`))
        await rig.run(...jobs, ['ZADD', `bull:${name}:completed`, ...jobs.flatMap((_, at) => [1, String(at)])])
      }
      await rig.run(job('orphan', {}, 'bull:q7:'), ['RPUSH', 'bull:q8:gone:logs', 'x'])
      const sent: string[] = []
      const told: ReadonlyMap<string, OrphanCounts>[] = []
      const send: Transport = (commands) => {
        sent.push(...commands.map(([name]) => name))
        return rig.send(commands)
      }

      await sweepOrphans({
        send,
        prefix: 'bull',
        queues: names,
        cutoffMs: CUTOFF_MS,
        isDryRun: false,
        onProgress: (counts) => void told.push(counts),
      })

      expect(told.at(-1)?.get('q7')).toMatchObject({ deleted: 1 })
      expect(told.at(-1)?.get('q8')?.because).toBe('1 keys kept, logs or children of jobs that are gone')
      // Two looks at each queue, one judgement.
      expect(sent.filter((name) => name === 'EVAL')).toHaveLength(21)
    })

    it('go in the next run when one ends at any request', async () => {
      const old = ['1', '2', '3', '4'].map((id) => job(id))
      for (let requests = 0; requests < 6; requests += 1) {
        await rig.flush()
        await rig.run(...old, ['RPUSH', 'bull:mails:wait', '4'], ['RPUSH', 'bull:mails:3:logs', 'x'])
        let left = requests
        const send: Transport = async (commands) => {
          left -= 1
          if (left < 0) throw new Error('the end')
          return await rig.send(commands)
        }
        await rig.pass({ send }).catch(() => undefined)
        await rig.pass()
        expect(await rig.keys()).toEqual(['bull:mails:4', 'bull:mails:wait'])
      }
    })
  },
  { own: false },
)

describeWithRedis('a server without LPOS, as before Redis 6.0.6', () => {
  it('is asked for the whole lists instead', async () => {
    const server = await startRedisServer({ args: ['--rename-command', 'LPOS', ''] })
    const connection = createTcpConnection({ url: server.url, deadlineMs: 30_000 })
    // The client asks the lists as well, so the job joins the list behind its back.
    const send: Transport = async (commands) => {
      const isJudging = commands[0]?.[0] === 'EVAL' && commands[0][4] === 'delete'
      if (isJudging) await connection.send([['RPUSH', 'bull:mails:wait', ...others, '17']])
      return await connection.send(commands)
    }
    const others = Array.from({ length: 2_500 }, (_, at) => `o${at}`)
    await connection.send([job('17'), job('18')])

    await sweepOrphans({ send, prefix: 'bull', queues: ['mails'], cutoffMs: CUTOFF_MS, isDryRun: false })

    expect(
      await connection.send([
        ['EXISTS', 'bull:mails:17'],
        ['EXISTS', 'bull:mails:18'],
      ]),
    ).toEqual([1, 0])
    await connection.close()
    await server.stop()
  })
})
