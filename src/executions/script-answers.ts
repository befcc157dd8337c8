import { RedisError } from '../errors.ts'
import type { Look } from './read-ahead.ts'

/** Whether an operation found the execution. */
export const isThere = (answer: unknown) => Number(answer) > 0

/** Whether BEGIN met something that is no execution. */
export const isForeign = (answer: unknown) => Number(answer) < 0

/** Whether BEGIN_TASK claimed the task. */
export const isClaim = (answer: unknown) => Number(answer) === 2

/** What LOOK answered: whether the execution exists, its begun tasks and its results. */
export function lookOf(answer: unknown): Look {
  const [exists, begun, results] = listOf(answer)
  return { inProgress: isThere(exists), begun: new Set(listOf(begun).map(textOf)), results: pairs(listOf(results)) }
}

/** What LOOK_AT_TASK answered. Where there is a result it did not ask whether the task is begun: a commit took the mark. */
export function taskLookOf(task: string, answer: unknown): Look {
  const result = markedTextOf(answer)
  return {
    only: task,
    results: new Map(result === undefined ? [] : [[task, result]]),
    begun: new Set(result === undefined && isThere(answer) ? [task] : []),
  }
}

function pairs(list: readonly unknown[]): Map<string, string> {
  const texts = list.map(textOf)
  const found = new Map<string, string>()
  for (let at = 0; at + 1 < texts.length; at += 2) found.set(texts[at] ?? '', texts[at + 1] ?? '')
  return found
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw unexpected()
}

function textOf(value: unknown): string {
  const text = markedTextOf(value)
  if (text === undefined) throw unexpected()
  return text
}

/** Without the "=" that the scripts put before every text; undefined for anything else, such as a number. */
function markedTextOf(value: unknown): string | undefined {
  const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value
  return typeof text === 'string' && text.startsWith('=') ? text.slice(1) : undefined
}

const unexpected = () =>
  new RedisError('REDIS_REFUSED', 'The Redis client answered a script with something that no Redis answers.')
