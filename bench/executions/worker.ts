import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createRedisStore } from '../../src/executions/index.ts'
import { runExecution } from '../../test/support/executions-worker.ts'
import { ABANDONED_EVERY, type Load, type LoadMessage, type LoadResult } from './load.ts'

/** Milliseconds between two looks at what is to be begun. */
const TICK_MS = 20

/** Executions before the work that is measured, so that everything is loaded and compiled. */
const WARM_UP = 200

const tell = (message: LoadMessage) => void process.send?.(message)

/** Why an execution is given up. */
class Abandoned extends Error {}

// A process of its own: runs executions at an even pace, tells its memory when it is asked, and in the end what it did.
process.once('disconnect', () => process.exit(1))
const load: Load = JSON.parse(process.argv[2] ?? '')
const redis = new Redis(load.url)
let commands = 0
const call = (name: string, ...args: string[]) => {
  commands += 1
  return redis.call(name, ...args)
}
const store = createRedisStore({ call }, { prefix: load.prefix, ttl: load.ttlMs })
let count = 0

/** Runs one execution; whether to its end. */
async function runOne(isAbandoned: boolean): Promise<boolean> {
  const run = async (task: string) => {
    if (isAbandoned && task !== load.tasks[0]) throw new Abandoned()
    return { task, text: 'result of some length, such as an order has'.repeat(5) }
  }
  try {
    count += 1
    const executionId = `${process.pid}-${count}`
    await runExecution(store, { executionId, tasks: load.tasks, run }, 'until error')
    if (await store.isExecutionInProgress(executionId)) throw new Error('An execution did not come to its end.')
    return true
  } catch (error) {
    if (error instanceof Abandoned) return false
    throw error
  }
}

async function work(): Promise<LoadResult> {
  let [finished, abandoned, failed, slowestMs] = [0, 0, 0, 0]
  const errors = new Set<string>()
  const underWay = new Set<Promise<void>>()
  const begin = async (number: number) => {
    const beganAtMs = performance.now()
    try {
      if (await runOne(number % ABANDONED_EVERY === 0)) finished += 1
      else abandoned += 1
    } catch (error) {
      failed += 1
      if (errors.size < 5) errors.add(String(error))
    }
    slowestMs = Math.max(slowestMs, performance.now() - beganAtMs)
  }
  commands = 0
  const startedAtMs = performance.now()
  const all = load.executionsPerSecond * load.seconds
  for (let begun = 0; begun < all; await sleep(TICK_MS)) {
    const due = Math.min((load.executionsPerSecond * (performance.now() - startedAtMs)) / 1_000, all)
    for (; begun < due; begun += 1) {
      const one = begin(begun).finally(() => underWay.delete(one))
      underWay.add(one)
    }
  }
  await Promise.all(underWay)
  return { finished, abandoned, errors: { count: failed, sample: [...errors] }, commands, slowestMs }
}

await Promise.all(Array.from({ length: WARM_UP }, () => runOne(false)))
process.on('message', (word) => {
  if (word === 'memory') tell({ kind: 'memory', bytes: process.memoryUsage.rss() })
})
const gone = (async () => {
  for (;;) if ((await once(process, 'message'))[0] === 'go') return
})()
tell({ kind: 'ready' })
await gone
tell({ kind: 'done', result: await work() })
redis.disconnect()
process.removeAllListeners('disconnect')
process.disconnect()
