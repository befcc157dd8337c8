import { FlowProducer, Queue, Worker, type Job, type JobType } from 'bullmq'
import type { Redis } from 'ioredis'
import { vi } from 'vitest'
import { createDeferred } from '../../src/sandbox/bot-api/deferred.ts'

/** BullMQ's own queues and workers, as an application would run them. */
export interface BullmqWorkers {
  queue(name: string): Queue
  readonly flows: FlowProducer
  /** Works on a queue: a job with `fail` fails, one with `holdUntil` goes on when that was released. */
  work(name: string): void
  release(): void
  /** Errors of workers, lost or stalled jobs included; empty as long as they are undisturbed. */
  readonly troubles: readonly string[]
  /** When each job was completed, by id. */
  readonly completed: ReadonlyMap<string, number>
  /** Waits until a job is in a state. */
  untilState(name: string, id: string, state: string): Promise<void>
  /** Waits until so many jobs are in a state. */
  untilCount(name: string, state: JobType, count: number): Promise<void>
  close(): Promise<void>
}

/** Opens nothing before it is asked for a queue. */
export function startBullmqWorkers(redis: Redis): BullmqWorkers {
  const queues = new Map<string, Queue>()
  const workers: Worker[] = []
  const troubles: string[] = []
  const completed = new Map<string, number>()
  const flows = new FlowProducer({ connection: redis })
  const { promise: released, resolve: release } = createDeferred<void>()
  const run = async (job: Job<{ fail?: boolean; isHeld?: boolean }>) => {
    if (job.data.isHeld === true) await released
    if (job.data.fail === true) throw new Error('as asked')
    return job.id
  }
  const queue = (name: string) => {
    const found = queues.get(name) ?? new Queue(name, { connection: redis })
    queues.set(name, found)
    return found
  }
  return {
    queue,
    flows,
    release,
    troubles,
    completed,
    work: (name) => {
      const worker = new Worker(name, run, { connection: redis, concurrency: 50, metrics: { maxDataPoints: 60 } })
      worker.on('error', (error) => troubles.push(`${name}: ${error.message}`))
      worker.on('completed', ({ id, finishedOn }) => void completed.set(String(id), Number(finishedOn)))
      worker.on('stalled', (id) => troubles.push(`${name}: ${id} stalled`))
      worker.on('lockRenewalFailed', (ids) => troubles.push(`${name}: locks of ${ids.join(', ')}`))
      workers.push(worker)
    },
    untilState: async (name, id, state) => {
      await vi.waitUntil(async () => (await queue(name).getJobState(id)) === state, { timeout: 30_000, interval: 10 })
    },
    untilCount: async (name, state, count) => {
      const isReached = async () => (await queue(name).getJobCountByTypes(state)) === count
      await vi.waitUntil(isReached, { timeout: 60_000, interval: 20 })
    },
    close: async () => {
      release()
      await Promise.all(workers.map((worker) => worker.close()))
      await Promise.all([...queues.values()].map((one) => one.close()))
      await flows.close()
    },
  }
}
