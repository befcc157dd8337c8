import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectedOf, keysOf, type Expected } from '../../support/bullmq-model.ts'
import { DAY_MS, dumpAll, idsIn, makeUpJobs, NOW_MS, startBullmqRig, type BullmqRig } from '../../support/bullmq-rig.ts'
import { describeWithRedis } from '../../support/redis-server.ts'

describeWithRedis('the finished jobs of a queue', () => {
  let rig: BullmqRig
  beforeAll(async () => {
    rig = await startBullmqRig()
  })
  afterAll(() => rig.stop())

  it('that finished exactly at the cutoff stay, and go one millisecond before', async () => {
    await rig.redis.flushall()
    const ages = { older: DAY_MS + 1, exactly: DAY_MS, younger: DAY_MS - 1 }
    const jobs = Object.entries(ages).map(([id, age]) => ({ id, finishedMs: NOW_MS - age }))
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs })

    const { report } = await rig.sweep()

    expect(report).toMatchObject({ outcome: 'done', due: 1, deleted: 1, kept: 2, keptOpen: 0 })
    expect(await idsIn(rig.redis, 'bull:mail:completed')).toEqual(['exactly', 'younger'])
  })

  it('are judged with asked-for days in place of both configured ages', async () => {
    await rig.redis.flushall()
    const jobs = [1, 3, 5, 9].map((days) => ({ id: `${days}`, finishedMs: NOW_MS - days * DAY_MS - 1 }))
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'completed', jobs })
    await makeUpJobs(rig.redis, { queue: 'shop', state: 'failed', jobs })

    const { report } = await rig.sweep({ days: 4 })

    expect(report).toMatchObject({ deleted: 4, days: 4 })
    expect(await idsIn(rig.redis, 'bull:mail:completed')).toEqual(['3', '1'])
    expect(await idsIn(rig.redis, 'bull:shop:failed')).toEqual(['3', '1'])
  })

  it('with a time before 1970 are no jobs that anybody can judge', async () => {
    await rig.redis.flushall()
    const jobs = [-5, 1, 2].map((finishedMs) => ({ id: `${finishedMs}`, finishedMs }))
    await makeUpJobs(rig.redis, { queue: 'mail', state: 'failed', jobs })

    const { report } = await rig.sweep()

    expect(report).toMatchObject({ deleted: 2, unreadable: { count: 1 }, scanned: 3 })
    expect(await idsIn(rig.redis, 'bull:mail:failed')).toEqual(['-5'])
  })

  it(
    'always end as if each had been judged by itself, whatever the times, bounds and flows',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(scenario, async (made) => {
          await rig.redis.flushall()
          await stage(rig, made)
          const changes = { config: { completed: boundsIn(made), failed: boundsIn(made) } }
          const before = await dumpAll(rig.redis)
          const expected = await expectations(rig, made)
          const counts = { due: sum(expected, 'gone'), kept: sum(expected, 'kept'), keptOpen: sum(expected, 'awaited') }

          const dry = await rig.sweep({ dryRun: true }, changes)
          expect(dry.report).toMatchObject({ outcome: 'planned', deleted: 0, ...counts })
          expect(await dumpAll(rig.redis)).toEqual(before)

          const { report } = await rig.sweep({}, changes)
          expect(report).toMatchObject({ outcome: 'done', deleted: counts.due, ...counts })
          await expectOnlyGone(rig, { before, expected })
          expect((await rig.sweep({}, changes)).report).toMatchObject({ deleted: 0, keptOpen: counts.keptOpen })
        }),
        { numRuns: 60 },
      )
    },
  )
})

/** Who else a job belongs to. */
const ties = [
  'nobody',
  'waiting elsewhere',
  'waiting here',
  'ended elsewhere',
  'gone',
  'gone but for its list',
  'let go',
  'next of a scheduler',
  'past of a scheduler',
] as const

interface MadeJob {
  readonly state: 'completed' | 'failed'
  readonly age: number
  readonly tie: (typeof ties)[number]
}

interface Made {
  readonly jobs: readonly MadeJob[]
  readonly keep: number
  readonly ageSeconds: number
}

/** Ages in seconds, few enough for many jobs of one instant. */
const scenario: fc.Arbitrary<Made> = fc.record({
  jobs: fc.array(
    fc.record({
      state: fc.constantFrom('completed' as const, 'failed' as const),
      age: fc.integer({ min: 0, max: 8 }),
      tie: fc.oneof({ weight: 3, arbitrary: fc.constant('nobody' as const) }, fc.constantFrom(...ties)),
    }),
    { maxLength: 30 },
  ),
  keep: fc.integer({ min: 0, max: 15 }),
  ageSeconds: fc.integer({ min: 0, max: 9 }),
})

const boundsIn = ({ keep, ageSeconds }: Made) => ({ keep, ageSeconds })
const BASE = 'bull:mail:'
const states = ['completed', 'failed'] as const

async function stage({ redis }: BullmqRig, { jobs }: Made): Promise<void> {
  for (const state of states) await makeUpJobs(redis, { queue: 'mail', state, jobs: [] })
  await makeUpJobs(redis, { queue: 'parents', state: 'failed', jobs: [] })
  for (const [at, { state, age, tie }] of jobs.entries()) {
    const finishedMs = NOW_MS - age * 1_000
    const id = tie.endsWith('of a scheduler') ? `repeat:s${at}:${finishedMs}` : `${at}`
    await makeUpJobs(redis, {
      queue: 'mail',
      state,
      jobs: [{ id, finishedMs, fields: await tieUp(redis, { at, id, tie }) }],
    })
  }
}

/** Makes whoever the job belongs to, and says what the job's hash holds of it. */
async function tieUp(redis: BullmqRig['redis'], { at, id, tie }: { at: number; id: string; tie: MadeJob['tie'] }) {
  if (tie === 'nobody') return {}
  if (tie.endsWith('of a scheduler')) {
    const next = Number(id.split(':').at(-1)) + (tie === 'next of a scheduler' ? 0 : 1)
    await redis.zadd(`${BASE}repeat`, next, `s${at}`)
    return { rjk: `s${at}` }
  }
  const queueKey = tie === 'waiting here' ? 'bull:mail' : 'bull:parents'
  const parent = { id: `p${at}`, queueKey }
  const key = `${queueKey}:${parent.id}`
  if (tie === 'gone but for its list') await redis.sadd(`${key}:dependencies`, `${BASE}${id}`)
  else if (tie !== 'gone') {
    const hasEnded = tie === 'ended elsewhere'
    const times = { timestamp: NOW_MS, ...(hasEnded && { finishedOn: NOW_MS }) }
    await redis.hset(key, { name: 'parent', data: '{}', opts: '{}', ...times })
    // A parent that ended is as young as can be, so that it stays itself.
    await redis.zadd(`${queueKey}:${hasEnded ? 'failed' : 'waiting-children'}`, NOW_MS, parent.id)
    const children = tie === 'let go' ? ['bull:other:7'] : [`${BASE}${id}`]
    await redis.sadd(`${key}:dependencies`, ...children)
  }
  return { parentKey: key, parent: JSON.stringify(parent) }
}

/** Sets of finished jobs by their key, with what is to become of them. */
type Expectations = ReadonlyMap<string, Expected>

async function expectations({ redis }: BullmqRig, { keep, ageSeconds }: Made): Promise<Expectations> {
  const bounds = { keep, cutoffMs: NOW_MS - ageSeconds * 1_000 }
  const expected = new Map<string, Expected>()
  for (const [base, state] of SETS) expected.set(`${base}${state}`, await expectedOf(redis, { base, state, bounds }))
  return expected
}

const SETS = [
  [BASE, 'completed'],
  [BASE, 'failed'],
  ['bull:parents:', 'failed'],
] as const

const sum = (expected: Expectations, of: keyof Expected) =>
  [...expected.values()].reduce((total, one) => total + one[of].length, 0)

interface Before {
  readonly before: ReadonlyMap<string, string>
  readonly expected: Expectations
}

/** What a sweep may change: the sets it takes jobs from, the events, and what a parent that has ended knows of its children. */
const MAY_CHANGE = /^bull:(mail|parents):(completed|failed|events)$|^bull:parents:p\d+:dependencies$/

const steady = (dump: ReadonlyMap<string, string>) => [...dump].filter(([key]) => !MAY_CHANGE.test(key))

async function expectOnlyGone({ redis }: BullmqRig, { before, expected }: Before): Promise<void> {
  const gone = new Set<string>()
  for (const [base, state] of SETS) {
    const { gone: ids, awaited, kept } = expected.get(`${base}${state}`) ?? { gone: [], awaited: [], kept: [] }
    for (const id of ids) for (const key of keysOf(base, id)) gone.add(key)
    expect((await idsIn(redis, `${base}${state}`)).toSorted()).toEqual([...awaited, ...kept].toSorted())
  }
  const after = await dumpAll(redis)
  expect(steady(after)).toEqual(steady(before).filter(([key]) => !gone.has(key)))
}
