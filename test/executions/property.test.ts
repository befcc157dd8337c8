import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStore, createRedisStore, type WorkerStore } from '../../src/executions/index.ts'
import { clientKinds, type OpenClient } from '../support/executions-clients.ts'
import { predict, type State, type Step } from '../support/executions-prediction.ts'
import { redisOfSuite } from '../support/redis-of-suite.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { textReply } from '../support/resp.ts'

const IDS = ['a', 'a-results-b']
const TASKS = ['7', '__proto__']

/** A step, and which of two stores takes it. */
type TakenStep = Step & { readonly by: 0 | 1 }

const taken: fc.Arbitrary<TakenStep> = fc.record({
  by: fc.constantFrom(0, 1),
  operation: fc.constantFrom(
    ...(['begin', 'begin', 'results', 'result', 'begin task', 'begin task', 'commit', 'commit'] as const),
    ...(['is in progress', 'is task in progress', 'dispose'] as const),
  ),
  id: fc.constantFrom(...IDS),
  task: fc.constantFrom(...TASKS),
  value: fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, -0, 1e21, '\ud800', '"1"', '')),
})

/** Workers at work at once, each taking its steps one right after the other, or the expiry of an execution. */
const batches = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.array(fc.array(taken, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 2 }),
    },
    { weight: 1, arbitrary: fc.record({ expired: fc.constantFrom(...IDS) }) },
  ),
  { minLength: 10, maxLength: 30 },
)

const take = async (store: WorkerStore, { operation, id, task, value }: Step): Promise<unknown> => {
  switch (operation) {
    case 'begin':
      return store.beginExecution(id)
    case 'results':
      return new Map(Object.entries(await store.getExecutionTaskResults(id)))
    case 'result':
      return store.getExecutionTaskResult(id, task)
    case 'begin task':
      return store.beginExecutionTask(id, task)
    case 'commit':
      return store.commitExecutionTaskResult(id, task, value)
    case 'is in progress':
      return store.isExecutionInProgress(id)
    case 'is task in progress':
      return store.isExecutionTaskInProgress(id, task)
    case 'dispose':
      return store.disposeExecution(id)
    default:
      return operation satisfies never
  }
}

/** All orders of what several workers did in which each keeps its own order. */
function orders<One>(workers: readonly (readonly One[])[]): (readonly One[])[] {
  if (workers.every((steps) => steps.length === 0)) return [[]]
  return workers.flatMap(([first, ...later], at) => {
    if (first === undefined) return []
    return orders(workers.with(at, later)).map((rest) => [first, ...rest])
  })
}

interface Answered {
  readonly step: Step
  readonly answer: unknown
}

/** The states after steps that were taken at once: one for each order in which they can have been answered so. */
function statesAfter(states: readonly State[], workers: readonly (readonly Answered[])[]): readonly State[] {
  const after: State[] = []
  for (const start of states) {
    for (const order of orders(workers)) {
      const end = order.reduce<State | undefined>((state, { step, answer }) => {
        const next = state === undefined ? undefined : predict(state, step)
        return next !== undefined && isDeepStrictEqual(next.answer, answer) ? next.state : undefined
      }, start)
      if (end !== undefined && !after.some((other) => isDeepStrictEqual(other, end))) after.push(end)
    }
  }
  return after
}

interface Stage {
  readonly stores: readonly [WorkerStore, WorkerStore]
  expire(id: string): Promise<unknown>
  /** Before the steps of a batch. */
  age(): Promise<unknown>
  /** What is wrong after the steps of a batch. */
  flaws(steps: readonly TakenStep[]): Promise<readonly string[]>
}

type Batch = readonly (readonly TakenStep[])[] | { readonly expired: string }

async function takeAll({ stores }: Stage, steps: readonly TakenStep[]): Promise<readonly Answered[]> {
  const answered: Answered[] = []
  for (const step of steps) answered.push({ step, answer: await take(stores[step.by], step) })
  return answered
}

/** Plays all batches; tells the first answers that no order of their steps explains, or the first flaws. */
async function play(all: readonly Batch[], stage: Stage): Promise<readonly unknown[]> {
  let states: readonly State[] = [new Map()]
  for (const batch of all) {
    if ('expired' in batch) {
      await stage.expire(batch.expired)
      states = states.map((state) => new Map([...state].filter(([id]) => id !== batch.expired)))
      continue
    }
    await stage.age()
    const answered = await Promise.all(batch.map((steps) => takeAll(stage, steps)))
    states = statesAfter(states, answered)
    if (states.length === 0) return answered
    const flaws = await stage.flaws(batch.flat())
    if (flaws.length > 0) return flaws
  }
  return []
}

/** A step, and whether its store has a ttl. */
type TimedStep = Step & { readonly hasTtl: boolean }

/** What an execution must have after steps of stores with a ttl or without; undefined where their order matters. */
const lifeAfter = (before: string | undefined, steps: readonly TimedStep[]) => {
  if (steps.some(({ operation }) => operation === 'dispose')) return undefined
  const mending = before === undefined ? ['begin'] : ['begin', 'begin task', 'commit']
  if (steps.some(({ hasTtl, operation }) => hasTtl && mending.includes(operation))) return 'fresh'
  // A task that a store with a ttl begins may be older than the execution, or not.
  if (before === undefined && steps.some(({ hasTtl }) => hasTtl)) return undefined
  return before ?? 'none'
}

const nothing = async () => []

describe('the store in memory', () => {
  it('answers whatever is asked of it as predicted', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (all) => {
        const store = createMemoryStore()
        const expire = (id: string) => store.disposeExecution(id)

        expect(await play(all, { stores: [store, store], expire, age: nothing, flaws: nothing })).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

describeWithRedis(
  'two stores on two clients',
  () => {
    const NAMES = IDS.flatMap((id) => ['', '-transactions', '-results'].map((end) => `${id}${end}`))
    /** Seconds: what a step gives each key, and what is left of it before the next. */
    const [LIFE, LEFT] = [3_600, 1_000]
    const server = redisOfSuite()
    const ask = async (...commands: readonly (readonly (string | number)[])[]) =>
      (await server.call(commands)).map(textReply)

    /** What each key has: no expiry, one that the batch before it gave, or a fresh one. */
    const lives = async () => {
      const found = await ask(...NAMES.map((name) => ['TTL', name]))
      const there = NAMES.map((name, at) => [name, Number(found[at])] as const).filter(([, ttl]) => ttl !== -2)
      return new Map(there.map(([name, ttl]) => [name, ttl === -1 ? 'none' : ttl > LEFT ? 'fresh' : 'old']))
    }
    type Lives = Awaited<ReturnType<typeof lives>>

    /** Keys that differ from their execution, that it left behind, and executions with another expiry than they must have. */
    const flawsAfter = (before: Lives, after: Lives, steps: readonly TimedStep[]) =>
      [...after].flatMap(([name, life]) => {
        const id = name.replace(/-(?:transactions|results)$/, '')
        if (after.get(id) !== life) return [`${name} has ${life} expiry and its execution ${after.get(id)}`]
        const due = lifeAfter(
          before.get(id),
          steps.filter((step) => step.id === id),
        )
        return due === undefined || due === life ? [] : [`${name} has ${life} expiry and not ${due}`]
      })

    it.each([
      [['ioredis 6', 'node-redis 6'], 'both', [true, true]],
      [['node-redis 4', '@upstash/redis'], 'one', [true, false]],
      [['ioredis 6', 'node-redis 5'], 'one', [false, true]],
      [['@upstash/redis with pipelining', 'ioredis 5'], 'both', [true, true]],
    ] as const)(
      'of %j, %s with a ttl, agree with each other and the prediction, and keep one expiry for all keys of an execution',
      async (names, _, ttls) => {
        const clients: OpenClient[] = []
        for (const name of names) {
          const client = await clientKinds.find((kind) => kind.name === name)?.open(server.url())
          if (client !== undefined) clients.push(client)
        }
        const [one, other] = clients.map(({ redis }, at) =>
          createRedisStore(redis, ttls[at] === true ? { ttl: LIFE * 1_000 } : {}),
        )
        if (one === undefined || other === undefined) throw new Error('There is no such client.')

        try {
          await fc.assert(
            fc.asyncProperty(batches, async (all) => {
              await server.flush()
              let before: Lives = new Map()
              const stage: Stage = {
                stores: [one, other],
                expire: (id) => ask(['DEL', id, `${id}-transactions`, `${id}-results`]),
                age: async () => {
                  const aging = [...(await lives())].filter(([, life]) => life !== 'none')
                  await ask(...aging.map(([name]) => ['EXPIRE', name, LEFT]), ['PING'])
                  before = await lives()
                },
                flaws: async (steps) =>
                  flawsAfter(
                    before,
                    await lives(),
                    steps.map((step) => ({ ...step, hasTtl: ttls[step.by] })),
                  ),
              }

              expect(await play(all, stage)).toEqual([])
            }),
            { numRuns: 40 },
          )
        } finally {
          for (const { close } of clients) await close()
        }
      },
      60_000,
    )
  },
  { own: false },
)
