import { once } from 'node:events'
import { Redis } from 'ioredis'
import { createRedisStore } from '../../src/executions/index.ts'
import { workOn, type Work } from './kill-steps.ts'

/** What a worker of its own process is told in its command line. */
export interface WorkerTask {
  readonly port: number
  readonly prefix: string
  readonly ttl: number
}

/** What it says; `computes` holds the value that it is going to commit. */
export type WorkerWord =
  | { readonly kind: 'ready' | 'begun' | 'done' }
  | { readonly kind: 'computes'; readonly task: string; readonly value: unknown }
  | { readonly kind: 'finished'; readonly results: Readonly<Record<string, unknown>> }

const say = (word: WorkerWord) =>
  new Promise<void>((resolve, reject) => {
    if (process.send === undefined) reject(new Error('This is to be run by a test.'))
    else process.send(word, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })

// A process of its own: works on one execution after another, as it is told.
process.once('disconnect', () => process.exit(1))
const { port, prefix, ttl }: WorkerTask = JSON.parse(process.argv[2] ?? '')
const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0 })
const store = createRedisStore(redis, { prefix, ttl })
await redis.ping()
const telling = {
  begun: () => say({ kind: 'begun' }),
  computes: async (task: string) => {
    const value = { task, by: process.pid }
    await say({ kind: 'computes', task, value })
    return value
  },
  finished: (results: Readonly<Record<string, unknown>>) => say({ kind: 'finished', results }),
}
await say({ kind: 'ready' })
for (;;) {
  const [work] = (await once(process, 'message')) as [Work]
  await workOn(store, work, telling)
  await say({ kind: 'done' })
}
