import type { Pledge } from '../pledges.ts'
import type { ExecutionsMeasured } from './run.ts'

const MEGABYTE = 1_000_000

/** More than this between the first sample and the last is no noise of the garbage collector or of the allocator. */
const FLAT_REDIS_BYTES = 2 * MEGABYTE
const FLAT_WORKER_BYTES = 60 * MEGABYTE

/** The promises about the store of executions under load. */
export function checkExecutionsPledges(measured: ExecutionsMeasured | null): readonly Pledge[] {
  if (measured === null) return []
  const { memory, workers, keysLeft } = measured
  const [first, last] = [memory[0], memory.at(-1)]
  const failed = workers.reduce((sum, { errors }) => sum + errors.count, 0)
  const redis = (last?.redisBytes ?? 0) - (first?.redisBytes ?? 0)
  const worker = Math.max(...(last?.workerBytes ?? []).map((bytes, at) => bytes - (first?.workerBytes[at] ?? 0)))
  return [
    pledge('Executions: 10 000 a minute without an error', `${failed} errors`, failed === 0),
    pledge('Executions: all keys are gone after their time', `${keysLeft} keys left`, keysLeft === 0),
    flat('the memory of Redis', redis, FLAT_REDIS_BYTES),
    flat('the memory of a worker', worker, FLAT_WORKER_BYTES),
  ]
}

const pledge = (promise: string, measured: string, isKept: boolean): Pledge => ({ promise, measured, isKept })

const flat = (what: string, growth: number, most: number) =>
  pledge(
    `Executions: ${what} grows by at most ${most / MEGABYTE} MB`,
    `${(growth / MEGABYTE).toFixed(1)} MB`,
    growth <= most,
  )
