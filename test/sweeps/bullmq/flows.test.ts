import type { FlowJob } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { DAY_MS, dumpAll, startBullmqRig, type BullmqRig } from '../../support/bullmq-rig.ts'
import { startBullmqWorkers, type BullmqWorkers } from '../../support/bullmq-workers.ts'
import { describeWithRedis } from '../../support/redis-server.ts'

describeWithRedis('a flow', () => {
  let rig: BullmqRig
  let work: BullmqWorkers
  beforeAll(async () => {
    rig = await startBullmqRig()
  })
  afterAll(() => rig.stop())
  beforeEach(async () => {
    await rig.redis.flushall()
    work = startBullmqWorkers(rig.redis)
    work.work('parents')
    work.work('children')
  })
  afterEach(() => work.close())

  /** Long after all that has ended so far, whatever the real time is. */
  const sweepLater = () => rig.sweep({}, { nowMs: Date.now() + 30 * DAY_MS })
  const stateOf = async (queue: string, id: string) => await work.queue(queue).getJobState(id)

  it.each(['parents', 'children'])('whose parent in %s waits for a failed child keeps both', async (queueName) => {
    await work.flows.add(parent('mum', [child('bad', { fail: true }), child('good')], { queueName }))
    await work.untilState('children', 'bad', 'failed')
    await work.untilState('children', 'good', 'completed')

    const { report } = await sweepLater()

    expect(report).toMatchObject({ outcome: 'done', deleted: 1, keptOpen: 1 })
    expect(report.parts?.[0]).toMatchObject({ name: 'children', because: expect.stringContaining('1 kept: a parent') })
    expect(await stateOf('children', 'good')).toBe('unknown')
    expect(await stateOf('children', 'bad')).toBe('failed')
    expect(await stateOf(queueName, 'mum')).toBe('waiting-children')
    await mend('bad')
    await work.untilState(queueName, 'mum', 'completed')
    expect(work.troubles).toEqual([])
  })

  it('goes on when its failed child was kept among others that went one by one', async () => {
    await work.flows.add(parent('mum', [child('bad', { fail: true })]))
    await work.untilState('children', 'bad', 'failed')
    const others = Array.from({ length: 450 }, (_, at) => ({
      name: 'x',
      data: { fail: true },
      opts: { jobId: `x${at}` },
    }))
    await work.queue('children').addBulk(others)
    await work.untilCount('children', 'failed', 451)

    const { report } = await sweepLater()

    expect(report).toMatchObject({ outcome: 'done', deleted: 450, keptOpen: 1 })
    await mend('bad')
    await work.untilState('parents', 'mum', 'completed')
  })

  it('keeps what a grandparent waits for, and nothing below it that has been settled', async () => {
    const settled = child('settled', { fail: true }, { failParentOnFailure: true })
    await work.flows.add(parent('gran', [parent('mum', [settled])]))
    await work.untilState('parents', 'mum', 'failed')

    const { report } = await sweepLater()

    expect(report).toMatchObject({ deleted: 1, keptOpen: 1 })
    expect(await stateOf('children', 'settled')).toBe('unknown')
    expect(await stateOf('parents', 'mum')).toBe('failed')
    expect(await stateOf('parents', 'gran')).toBe('waiting-children')
  })

  it('of three generations that wait is left as it is', async () => {
    await work.flows.add(parent('gran', [parent('mum', [child('bad', { fail: true })], { queueName: 'children' })]))
    await work.untilState('children', 'bad', 'failed')
    const before = await steady()

    await sweepLater()

    expect(await steady()).toEqual(before)
  })

  it('whose parent has failed loses it without a worker noticing, while its other children go on', async () => {
    const ways = [
      {},
      { failParentOnFailure: true },
      { continueParentOnFailure: true },
      { ignoreDependencyOnFailure: true },
    ]
    const failing = ways.map((opts, at) => child(`failing${at}`, { fail: true, isHeld: true }, opts))
    const held = [child('held', { isHeld: true }), child('late', {}, { delay: 60_000 })]
    await work.flows.add(
      parent('mum', [child('bad', { fail: true }, { failParentOnFailure: true }), ...held, ...failing]),
    )
    await work.untilState('parents', 'mum', 'failed')
    await work.untilState('children', 'held', 'active')

    const { report } = await sweepLater()

    expect(report).toMatchObject({ outcome: 'done', deleted: 2, keptOpen: 0 })
    expect(await rig.redis.keys('bull:parents:mum*')).toEqual([])
    work.release()
    await (await work.queue('children').getJob('late'))?.promote()
    for (const id of ['held', 'late']) await work.untilState('children', id, 'completed')
    for (const at of ways.keys()) await work.untilState('children', `failing${at}`, 'failed')
    expect(work.troubles).toEqual([])
  })

  it('hands its parent the results of children that have gone', async () => {
    await work.flows.add(parent('mum', [child('early'), child('held', { isHeld: true })]))
    await work.untilState('children', 'early', 'completed')

    await sweepLater()
    work.release()

    await work.untilState('parents', 'mum', 'completed')
    const mum = await work.queue('parents').getJob('mum')
    expect(await mum?.getChildrenValues()).toEqual({ 'bull:children:early': 'early', 'bull:children:held': 'held' })
  })

  async function mend(id: string): Promise<void> {
    const job = await work.queue('children').getJob(id)
    await job?.updateData({})
    await job?.retry()
  }

  /** All but the events, to which even workers that find nothing add. */
  async function steady(): Promise<readonly (readonly [string, string])[]> {
    return [...(await dumpAll(rig.redis))].filter(([key]) => !/:(events|stalled-check|marker)$/.test(key))
  }
})

type Options = FlowJob['opts']

const child = (jobId: string, data: object = {}, opts: Options = {}): FlowJob => ({
  name: 'child',
  queueName: 'children',
  data,
  opts: { ...opts, jobId },
})

const parent = (jobId: string, children: FlowJob[], { queueName = 'parents' } = {}): FlowJob => ({
  name: 'parent',
  queueName,
  children,
  opts: { jobId },
})
