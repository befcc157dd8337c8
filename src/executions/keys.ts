import { literally } from '../redis/pattern.ts'

/** The three keys of an execution: a string "true", a hash of begun tasks and a hash of committed results. */
export interface ExecutionKeys {
  readonly execution: string
  readonly transactions: string
  readonly results: string
}

/** Which of the three keys of an execution a key is. */
export type ExecutionPart = keyof ExecutionKeys

const TRANSACTIONS = '-transactions'
const RESULTS = '-results'

/** The names of an execution's keys. The id must pass `isExecutionId`. */
export const executionKeys = (prefix: string, id: string): ExecutionKeys => ({
  execution: `${prefix}${id}`,
  transactions: `${prefix}${id}${TRANSACTIONS}`,
  results: `${prefix}${id}${RESULTS}`,
})

/**
 * Whether an id can name an execution. One that ends as a key of another execution does would share that key; half a
 * character (a lone surrogate) would become the same key as any other half.
 */
export const isExecutionId = (id: string) =>
  id !== '' && !id.endsWith(TRANSACTIONS) && !id.endsWith(RESULTS) && !LONE_SURROGATE.test(id)

/** Half a character outside the basic plane, which UTF-8 cannot carry. */
export const LONE_SURROGATE = /\p{Surrogate}/u

/** The SCAN pattern of all keys under a prefix. */
export const executionPattern = (prefix: string) => `${literally(prefix)}*`

/** Tells by its name alone what a key under the prefix would be; undefined where it can be no execution's. */
export function readExecutionKey(
  prefix: string,
  key: string,
): { readonly id: string; readonly part: ExecutionPart } | undefined {
  if (!key.startsWith(prefix)) return undefined
  const rest = key.slice(prefix.length)
  const [part, ending]: readonly [ExecutionPart, string] = rest.endsWith(TRANSACTIONS)
    ? ['transactions', TRANSACTIONS]
    : rest.endsWith(RESULTS)
      ? ['results', RESULTS]
      : ['execution', '']
  const id = rest.slice(0, rest.length - ending.length)
  return isExecutionId(id) ? { id, part } : undefined
}
