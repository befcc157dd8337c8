import { FlowProducer, Queue, QueueEvents, Worker, type FlowJob } from 'bullmq'
import * as fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import type { Command, Transport } from '../../../src/redis/transport.ts'
import { clearQueue, type Clearance, type ClearOptions } from '../../../src/sweeps/bullmq/queue-clear.ts'
import { createDeferred } from '../../../src/sandbox/bot-api/deferred.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { job, OLD_MS, queueRig } from './orphans-rig.ts'

const WAIT = { timeout: 20_000 }

describeWithRedis(
  'emptying a queue',
  () => {
    const rig = queueRig()
    const open: { close(): Promise<void> }[] = []
    afterEach(async () => {
      await Promise.all(open.splice(0).map((one) => one.close()))
    })
    const keep = <Part extends { close(): Promise<void> }>(part: Part): Part => {
      open.push(part)
      return part
    }
    const queueOf = (name: string) => keep(new Queue(name, { connection: rig.connection }))
    const flows = () => keep(new FlowProducer({ connection: rig.connection }))
    const workerOf = (name: string, work: (fails: boolean) => Promise<unknown> = async () => 'done') => {
      const worker = new Worker(name, async ({ data }) => await work(data.fails === true), {
        connection: rig.connection,
        metrics: { maxDataPoints: 10 },
        drainDelay: 1,
      })
      return keep(worker.on('error', () => undefined))
    }
    const clear = async (queue: string, given: Partial<ClearOptions> = {}): Promise<Clearance> =>
      await clearQueue({
        send: rig.send,
        place: { prefix: 'bull', queue },
        isDryRun: false,
        nowMs: Date.now(),
        ...given,
      })
    const restsOf = async (queue: string) =>
      (await rig.keys()).filter((key) => key.startsWith(`bull:${queue}:`)).map((key) => key.slice(queue.length + 6))

    /** That each parent that waits has children, and each child that is waited for exists. */
    const expectSoundFlows = async (queues: readonly string[]) => {
      const content = await rig.content()
      const words = (key: string) => [...(content[key] ?? '').matchAll(/"([^"]+)"/g)].map(([, word = '']) => word)
      for (const queue of queues) {
        const parents = words(`bull:${queue}:waiting-children`).filter((word) => content[`bull:${queue}:${word}`])
        expect(parents.filter((id) => content[`bull:${queue}:${id}:dependencies`] === undefined)).toEqual([])
      }
      const places = Object.keys(content).filter((key) => key.endsWith(':dependencies'))
      expect(places.flatMap(words).filter((child) => content[child] === undefined)).toEqual([])
      expect(places.filter((key) => content[key.slice(0, -':dependencies'.length)] === undefined)).toEqual([])
    }

    const fillEveryState = async () => {
      const queue = queueOf('mails')
      const worker = workerOf('mails', async (fails) => {
        if (fails) throw new Error('no')
      })
      await queue.addBulk(
        Array.from({ length: 240 }, (_, at) => ({
          name: 'send',
          data: { fails: at % 2 === 0 },
          opts: { keepLogs: 2 },
        })),
      )
      await expect.poll(() => queue.getJobCounts('completed', 'failed'), WAIT).toEqual({ completed: 120, failed: 120 })
      await worker.close()
      await queue.addBulk(Array.from({ length: 130 }, (_, at) => ({ name: 'send', data: { at } })))
      await queue.addBulk([1, 2].map((priority) => ({ name: 'send', data: {}, opts: { priority } })))
      await queue.add('send', {}, { delay: 3_600_000, deduplication: { id: 'once' } })
      await queue.upsertJobScheduler('nightly', { pattern: '0 3 * * *' }, { name: 'send' })
      await flows().add({
        name: 'p',
        queueName: 'mails',
        children: [{ name: 'c', queueName: 'mails', opts: { delay: 9e6 } }],
      })
      const [waiting] = await queue.getJobs(['waiting'], 0, 0)
      await waiting?.log('a line')
      await rig.run(job('orphan', { timestamp: OLD_MS }), ['RPUSH', 'bull:mails:orphan:logs', 'x'])
    }

    it('takes every job with all that belongs to it, and leaves meta, metrics, events and schedulers', async () => {
      await fillEveryState()
      const before = ownOf(await rig.content())

      const clearance = await clear('mails')

      expect(figures(clearance)).toEqual({
        'waiting-children': 1,
        wait: 130,
        prioritized: 2,
        delayed: 2,
        completed: 120,
        failed: 120,
      })
      expect(clearance).toMatchObject({ active: 0, schedulers: 1, orphans: { deleted: 1 } })
      expect(ownOf(await rig.content())).toEqual(before)
      const rests = await restsOf('mails')
      expect(rests.filter((rest) => !/^(events|id|marker|meta|metrics:.*|pc|stalled-check)$/.test(rest))).toEqual([
        'delayed',
        'repeat',
        'repeat:nightly',
        expect.stringMatching(/^repeat:nightly:\d+$/),
      ])
    })

    it('counts the same in a dry run, which writes nothing', async () => {
      await fillEveryState()
      const before = await rig.content()

      const dry = await clear('mails', { isDryRun: true })

      expect(await rig.content()).toEqual(before)
      const done = await clear('mails')
      expect(dry.states.map(({ due, jobs }) => [jobs, due])).toEqual(
        done.states.map(({ cleared, jobs }) => [jobs, cleared]),
      )
      expect(dry.states.map(({ cleared }) => cleared)).toEqual(dry.states.map(() => 0))
      expect(dry.orphans).toMatchObject({ due: 1, deleted: 0 })
    })

    it('leaves a scheduler alive whose next job is already waiting', async () => {
      const queue = queueOf('mails')
      await queue.upsertJobScheduler('often', { every: 300 }, { name: 'send' })
      await queue.addBulk(Array.from({ length: 5 }, () => ({ name: 'send', data: {} })))

      const clearance = await clear('mails')

      expect(figures(clearance)).toEqual({ wait: 5 })
      expect(clearance.states.find(({ state }) => state === 'wait')?.scheduled).toBe(1)
      workerOf('mails')
      await expect.poll(() => queue.getCompletedCount(), WAIT).toBeGreaterThan(2)
    })

    it('leaves an active job to finish', async () => {
      const queue = queueOf('mails')
      const { promise, resolve } = createDeferred<string>()
      workerOf('mails', async () => await promise)
      const active = await queue.add('send', {})
      await expect.poll(() => queue.getActiveCount(), WAIT).toBe(1)
      await queue.add('send', {}, { delay: 9e6 })

      expect(await clear('mails')).toMatchObject({ active: 1 })
      resolve('sent')

      const events = keep(new QueueEvents('mails', { connection: rig.connection }))
      expect(await active.waitUntilFinished(events, 20_000)).toBe('sent')
      expect(await queue.getJobCounts('completed', 'delayed')).toEqual({ completed: 1, delayed: 0 })
    })

    const three: FlowJob = {
      name: 'top',
      queueName: 'mails',
      children: [{ name: 'middle', queueName: 'mails', children: [{ name: 'leaf', queueName: 'mails' }] }],
    }

    it('takes whole flows of the queue at once, in a dry run as well', async () => {
      await flows().add(three)

      const dry = await clear('mails', { isDryRun: true })
      const done = await clear('mails')

      expect(dry.states.map(({ due }) => due)).toEqual(done.states.map(({ cleared }) => cleared))
      expect(figures(done)).toEqual({ 'waiting-children': 2, wait: 1 })
      expect((await restsOf('mails')).filter((rest) => !/^(events|id|marker|meta)$/.test(rest))).toEqual([])
    })

    it('leaves jobs that a parent in another queue waits for, names that queue, and takes them after it', async () => {
      await flows().add({ name: 'order', queueName: 'orders', children: [{ name: 'mail', queueName: 'mails' }] })
      await queueOf('mails').add('send', {})
      const before = await restsOf('orders')

      const first = await clear('mails')

      expect(first.states.find(({ state }) => state === 'wait')).toMatchObject({ jobs: 2, cleared: 1, awaited: 1 })
      expect([...first.waitingBases]).toEqual(['bull:orders:'])
      expect(await restsOf('orders')).toEqual(before)
      await clear('orders')
      expect(figures(await clear('mails'))).toEqual({ wait: 1 })
    })

    it('leaves whole what such a parent waits for through other jobs of the queue', async () => {
      await flows().add({ ...three, queueName: 'orders' })
      const before = await rig.content()

      const clearance = await clear('mails')

      expect(figures(clearance)).toEqual({ 'waiting-children': 0, wait: 0 })
      expect(await rig.content()).toEqual(before)
    })

    it('leaves a job that an active parent of its own queue waits for', async () => {
      await flows().add(three)
      const queue = queueOf('mails')
      const [leaf] = await queue.getWaiting()
      const middle = leaf?.parent?.id ?? ''
      await rig.run(['ZREM', 'bull:mails:waiting-children', middle], ['RPUSH', 'bull:mails:active', middle])

      const clearance = await clear('mails')

      expect(clearance.states.find(({ state }) => state === 'wait')).toMatchObject({ cleared: 0, awaited: 1 })
      expect(await rig.keys()).toContain(`bull:mails:${middle}:dependencies`)
    })

    it('lets a finished parent in another queue forget the child that it takes', async () => {
      await flows().add({ name: 'order', queueName: 'orders', children: [{ name: 'mail', queueName: 'mails' }] })
      const parent = (await rig.keys()).find((key) => key.endsWith(':dependencies')) ?? ''
      const id = parent.slice('bull:orders:'.length, -':dependencies'.length)
      await rig.run(
        ['ZREM', 'bull:orders:waiting-children', id],
        ['ZADD', 'bull:orders:failed', 1, id],
        ['HSET', `bull:orders:${id}`, 'finishedOn', 1],
      )

      expect(figures(await clear('mails'))).toEqual({ wait: 1 })
      expect(await rig.keys()).not.toContain(parent)
    })

    it('leaves a child whose parent waits, although a lost one of that id had finished', async () => {
      await rig.run(['ZADD', 'bull:orders:completed', 1, 'mum'])
      const children = [{ name: 'mail', queueName: 'mails' }]
      await flows().add({ name: 'order', queueName: 'orders', opts: { jobId: 'mum' }, children })

      const clearance = await clear('mails')

      expect(clearance.waitingBases).toEqual(new Set(['bull:orders:']))
      await expectSoundFlows(['orders'])
    })

    it('leaves a child whose parent failed and is to run again, and takes it in the next run', async () => {
      const children = [{ name: 'leaf', queueName: 'mails' }]
      await flows().add({ name: 'top', queueName: 'mails', opts: { jobId: 'mum' }, children })
      await rig.run(['ZREM', 'bull:mails:waiting-children', 'mum'], ['ZADD', 'bull:mails:delayed', 1, 'mum'])

      const dry = await clear('mails', { isDryRun: true })
      const done = await clear('mails')

      expect(dry.states.map(({ due }) => due)).toEqual(done.states.map(({ cleared }) => cleared))
      expect(done.states.filter(({ awaited }) => awaited > 0)).toMatchObject([{ state: 'wait', awaited: 1 }])
      expect(figures(await clear('mails'))).toEqual({ wait: 1 })
    })

    it.each([0, 3_000])('takes on few jobs a call where each is searched for in long lists: %d stay', async (stay) => {
      const parent = { parentKey: 'bull:orders:mum', parent: '{"id":"mum","queueKey":"bull:orders"}' }
      const held = Array.from({ length: stay }, (_, at) => `held${at}`)
      const free = Array.from({ length: 300 }, (_, at) => `free${at}`)
      const unknown = { parentKey: 'bull:orders:none', parent: '{"id":"none","queueKey":"bull:orders"}' }
      await rig.run(
        job('mum', {}, 'bull:orders:'),
        ['ZADD', 'bull:orders:waiting-children', 1, 'mum'],
        ...held.flatMap((id): Command[] => [
          job(id, parent),
          ['SADD', 'bull:orders:mum:dependencies', `bull:mails:${id}`],
        ]),
        job('none', {}, 'bull:orders:'),
        ['RPUSH', 'bull:orders:wait', ...Array.from({ length: 20_000 }, (_, at) => `w${at}`)],
        ...free.flatMap((id): Command[] => [
          job(id, unknown),
          ['SADD', 'bull:orders:none:dependencies', `bull:mails:${id}`],
        ]),
        ['LPUSH', 'bull:mails:wait', ...held, ...free],
      )
      let calls = 0
      const send: Transport = async (commands) => {
        calls += commands.filter(([, , , , state]) => state === 'wait').length
        return await rig.send(commands)
      }

      const clearance = await clear('mails', { send })

      expect(figures(clearance)).toEqual({ wait: 300 })
      expect(calls).toBeGreaterThan(stay / 100 + 20)
      expect(await rig.send([['LLEN', 'bull:mails:wait']])).toEqual([stay])
    })

    it('lets children in other queues run on without their parent', async () => {
      await flows().add({
        name: 'order',
        queueName: 'orders',
        children: [{ name: 'mail', queueName: 'mails', data: {} }],
      })
      const mails = queueOf('mails')

      expect(figures(await clear('orders'))).toEqual({ 'waiting-children': 1 })

      workerOf('mails')
      await expect.poll(() => mails.getCompletedCount(), WAIT).toBe(1)
      expect((await restsOf('orders')).filter((rest) => !/^(events|id|meta)$/.test(rest))).toEqual([])
    })

    it('never takes a key that an id in a list only seems to name', async () => {
      await queueOf('mails').add('send', {})
      await rig.run(
        ['HSET', 'bull:mails:metrics:failed', 'count', '1'],
        ['HSET', 'bull:mails:repeat:nightly', 'name', 'n'],
        ['RPUSH', 'bull:mails:wait', 'meta', 'id', 'metrics:failed', 'repeat:nightly', 'events', 'gone'],
      )
      const own = ['events', 'id', 'marker', 'meta', 'metrics:failed', 'repeat:nightly']

      expect(figures(await clear('mails'))).toEqual({ wait: 7 })
      expect(await restsOf('mails')).toEqual(own)
    })

    it('goes on in the next run when one ends at any request', async () => {
      for (let requests = 0; requests < 16; requests += 1) {
        await rig.flush()
        await flows().add(three)
        await queueOf('mails').addBulk(Array.from({ length: 3 }, () => ({ name: 'send', data: {} })))
        await rig.run(job('orphan'))
        let left = requests
        const send: Transport = async (commands) => {
          left -= 1
          if (left < 0) throw new Error('the end')
          return await rig.send(commands)
        }
        await clear('mails', { send }).catch(() => undefined)
        await expectSoundFlows(['mails'])

        await clear('mails')

        expect((await restsOf('mails')).filter((rest) => !/^(events|id|marker|meta)$/.test(rest))).toEqual([])
      }
    })

    it.each(['waiting-children', 'wait', 'delayed'])(
      'leaves a flow whole that is added after the parents were cleared, before %s is counted',
      async (state) => {
        const leaves = [
          { name: 'leaf', queueName: 'mails' },
          { name: 'late', queueName: 'mails', opts: { delay: 9e6 } },
        ]
        const middle = { name: 'middle', queueName: 'mails', children: leaves }
        await queueOf('mails').add('send', {})
        let isAdded = false
        const send: Transport = async (commands) => {
          const isBefore = commands.some(([name, key]) => /CARD|LLEN/.test(name) && key === `bull:mails:${state}`)
          if (isBefore && !isAdded) {
            isAdded = true
            await flows().add({ name: 'top', queueName: 'mails', children: [middle] })
          }
          return await rig.send(commands)
        }

        const clearance = await clear('mails', { send })

        await expectSoundFlows(['mails'])
        expect(isAdded).toBe(true)
        const isLeft = state !== 'waiting-children'
        expect(clearance.waitingBases).toEqual(new Set(isLeft ? ['bull:mails:'] : []))
        expect(await queueOf('mails').getWaitingChildrenCount()).toBe(isLeft ? 2 : 0)
        const again = await clear('mails')
        expect(again.waitingBases.size).toBe(0)
        expect((await restsOf('mails')).filter((rest) => !/^(events|id|marker|meta)$/.test(rest))).toEqual([])
      },
    )

    it('leaves the child of a parent that begins to wait for children meanwhile', async () => {
      await flows().add({ name: 'top', queueName: 'mails', children: [{ name: 'leaf', queueName: 'mails' }] })
      const [parent = ''] = await queueOf('mails')
        .getWaitingChildren()
        .then((jobs) => jobs.map(({ id }) => id))
      await rig.run(['ZREM', 'bull:mails:waiting-children', parent], ['RPUSH', 'bull:mails:active', parent])
      const send: Transport = async (commands) => {
        if (commands.some(([, key]) => key === 'bull:mails:wait')) {
          await rig.run(['LREM', 'bull:mails:active', 0, parent], ['ZADD', 'bull:mails:waiting-children', 1, parent])
        }
        return await rig.send(commands)
      }

      const clearance = await clear('mails', { send })

      expect(clearance.states.find(({ state }) => state === 'wait')).toMatchObject({ cleared: 0, awaited: 1 })
      await expectSoundFlows(['mails'])
    })

    it('does not run after jobs that are added meanwhile', async () => {
      const queue = queueOf('mails')
      await queue.add('send', {})
      const send: Transport = async (commands) => {
        if (commands[0]?.[0] === 'EVAL') await queue.add('send', {})
        return await rig.send(commands)
      }

      const clearance = await clear('mails', { send })

      expect(clearance.states.find(({ state }) => state === 'wait')?.jobs).toBeLessThan(5)
    })

    it('leaves every job either run or gone whole while workers run', async () => {
      const queue = queueOf('mails')
      const ran = new Set<string>()
      const errors: Error[] = []
      await queue.addBulk(Array.from({ length: 1_500 }, (_, at) => ({ name: 'send', data: { at } })))
      const worker = new Worker('mails', async ({ id = '' }) => void ran.add(id), {
        connection: rig.connection,
        concurrency: 8,
      })
      keep(worker.on('error', (error) => errors.push(error)))
      await expect.poll(() => ran.size, WAIT).toBeGreaterThan(10)

      const clearance = await clear('mails')

      await worker.close()
      await clear('mails')
      const taken = clearance.states.find(({ state }) => state === 'wait')?.cleared ?? 0
      expect(errors).toEqual([])
      expect(ran.size + taken).toBe(1_500)
      expect((await restsOf('mails')).filter((rest) => !/^(events|id|marker|meta|stalled-check)$/.test(rest))).toEqual(
        [],
      )
    })

    const leaf = fc
      .record({ queueName: fc.constantFrom('a', 'b'), delay: fc.constantFrom(0, 9e6) })
      .map(({ queueName, delay }): FlowJob => ({ name: 'n', queueName, opts: { delay } }))
    const middle = above(fc.oneof(leaf, above(leaf)))
    const flow = fc.oneof(leaf, middle, above(middle))

    it('never leaves a parent waiting for a job that has gone, however flows cross queues', async () => {
      const producer = flows()
      await fc.assert(
        fc.asyncProperty(fc.array(flow, { minLength: 1, maxLength: 4 }), async (trees) => {
          await rig.flush()
          for (const tree of trees) await producer.add(tree)
          for (let runs = 0; runs < 6; runs += 1) {
            await clear(runs % 2 === 0 ? 'a' : 'b')
            await expectSoundFlows(['a', 'b'])
          }
          expect((await rig.keys()).filter((key) => !/:(events|id|marker|meta)$/.test(key))).toEqual([])
        }),
        { numRuns: 25 },
      )
    }, 60_000)
  },
  { own: false },
)

/** What went of each state that had jobs. */
const figures = ({ states }: Clearance) =>
  Object.fromEntries(states.filter(({ jobs }) => jobs > 0).map(({ state, cleared }) => [state, cleared]))

/** A job with children. */
const above = (below: fc.Arbitrary<FlowJob>) =>
  fc
    .record({ queueName: fc.constantFrom('a', 'b'), children: fc.array(below, { minLength: 1, maxLength: 3 }) })
    .map((node): FlowJob => ({ name: 'n', ...node }))

/** What a queue has beside its jobs. */
const ownOf = (content: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(content).filter(([key]) => /:(meta|metrics.*|id|repeat.*)$/.test(key)))
