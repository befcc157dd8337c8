import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRedisStore, type ExecutionStore } from '../../../src/executions/index.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { DAY_MS, executionsRig, PREFIX } from './executions-rig.ts'

/** An execution that somebody works on, and the results that were committed. */
interface Going {
  readonly id: string
  readonly results: Record<string, unknown>
}

const ROUNDS = 12

describeWithRedis('executions that go on while they are swept', () => {
  const rig = executionsRig()
  let redis: Redis
  let store: ExecutionStore
  beforeAll(() => {
    redis = new Redis(rig.url())
    store = createRedisStore(redis, { prefix: PREFIX })
  })
  afterAll(() => {
    redis.disconnect()
  })

  const begin = async (id: string): Promise<Going> => {
    await store.beginExecution(id)
    await store.beginExecutionTask(id, 'first')
    return { id, results: {} }
  }
  const step = async ({ id, results }: Going) => {
    const task = `task${Object.keys(results).length}`
    await store.beginExecutionTask(id, task)
    await store.commitExecutionTaskResult(id, task, { task })
    results[task] = { task }
  }

  it('are never removed, nor loses any of them a result, while those that stand still go', async () => {
    let removed = 0
    let overlapping = 0
    const going = await Promise.all(Array.from({ length: 400 }, (_, at) => begin(`going${at}`)))
    for (let round = 0; round < ROUNDS; round += 1) {
      await begin(`left${round}`)
      await Promise.all(going.map(step))
      await rig.timePasses(DAY_MS + 1)
      const sweeping = rig.sweep()
      const over = new Set<unknown>()
      void sweeping.finally(() => over.add(sweeping))
      // Some make their next step while the run looks at them.
      for (let at = 0; over.size === 0; at = (at + 7) % going.length) {
        const one = going[at]
        if (one !== undefined) await step(one)
        overlapping += 1
      }
      removed += (await sweeping).report.deleted
    }

    expect(removed).toBe(ROUNDS - 1)
    expect(overlapping).toBeGreaterThan(ROUNDS)
    for (const { id, results } of going) {
      expect(await store.isExecutionInProgress(id)).toBe(true)
      expect({ ...(await store.getExecutionTaskResults(id)) }).toEqual(results)
    }
  }, 60_000)
})
