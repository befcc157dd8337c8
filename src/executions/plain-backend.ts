import { InputError } from '../errors.ts'
import type { Backend } from './backend.ts'
import type { PlainRedis } from './clients.ts'
import { KeyTakenError } from './errors.ts'
import type { ExecutionKeys } from './keys.ts'
import { isPlainObject } from './plain-object.ts'

/**
 * Executions over a client without scripts: several commands in the order that does least harm when they stop halfway. A
 * result is stored before its mark goes, and each write is followed by its expiry; what a crash left without one gets it
 * from the next step. Weaker than with scripts: two callers may claim one task, a step that overlaps with a disposal may
 * leave its own key behind, and without seconds a hash does not join the expiry of its execution, which cannot be asked for.
 */
export function plainBackend(redis: PlainRedis, seconds: number | undefined): Backend {
  const refresh = async (...keys: readonly string[]) => {
    // One after the other: what was just written first.
    if (seconds !== undefined) for (const key of keys) await redis.expire(key, seconds)
  }
  const find = async (key: string, field: string) => storedText(await redis.hget(key, field))
  // Its text is "true", so this also finds out a client that makes values of texts, before any result is written.
  const isThere = async (key: string) => storedText(await redis.get(key)) !== undefined

  return {
    begin: async ({ execution, transactions, results }) => {
      // SET would take away the expiry of an execution that exists.
      if (!(await isBegun(redis, execution))) await redis.set(execution, 'true')
      await refresh(execution, transactions, results)
    },
    results: async ({ results }) => textsOf(await redis.hgetall(results)),
    result: async ({ results }, task) => find(results, task),
    beginTask: async ({ execution, transactions, results }, task) => {
      if (!(await isThere(execution))) return false
      const isCommitted = isSet(await redis.hget(results, task))
      const isNew = !isCommitted && !isSet(await redis.hget(transactions, task))
      if (isNew) await redis.hset(transactions, { [task]: 'true' })
      await refresh(transactions, results, execution)
      return isNew
    },
    commit: async ({ execution, transactions, results }, { task, text }) => {
      if (!(await isThere(execution))) return
      if (!isSet(await redis.hget(results, task))) await redis.hset(results, { [task]: text })
      await refresh(results)
      await redis.hdel(transactions, task)
      await refresh(transactions, execution)
    },
    isInProgress: async ({ execution }) => isThere(execution),
    isTaskInProgress: async ({ transactions }, task) => isSet(await redis.hget(transactions, task)),
    dispose: async ({ execution, transactions, results }: ExecutionKeys) => {
      // The execution first: nobody takes up what is half removed.
      await redis.del(execution)
      await redis.del(transactions)
      await redis.del(results)
    },
  }
}

/** Whether the key holds an execution; throws KeyTakenError where it holds anything else. */
async function isBegun(redis: PlainRedis, key: string): Promise<boolean> {
  const text = storedText(await lookAt(redis, key))
  if (text === undefined || text === 'true') return text !== undefined
  throw new KeyTakenError(key)
}

async function lookAt(redis: PlainRedis, key: string): Promise<unknown> {
  try {
    return await redis.get(key)
  } catch (error) {
    throw String(error).includes('WRONGTYPE') ? new KeyTakenError(key) : error
  }
}

const isSet = (reply: unknown) => reply !== null && reply !== undefined

function storedText(reply: unknown): string | undefined {
  if (!isSet(reply)) return undefined
  if (typeof reply === 'string') return reply
  throw new InputError(
    'The Redis client changes what it reads: switch off whatever turns stored texts into values (deserialization).',
  )
}

/** The fields and texts of an `hgetall`. Anything it could be misread from is refused, for no results means all anew. */
function textsOf(reply: unknown): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const [field, reading] of reply === null ? [] : entriesOf(reply)) {
    if (typeof field !== 'string') throw unreadable()
    const text = storedText(reading)
    if (text === undefined) throw unreadable()
    texts.set(field, text)
  }
  return texts
}

function entriesOf(reply: unknown): Iterable<readonly [unknown, unknown]> {
  if (reply instanceof Map) return reply
  if (Array.isArray(reply)) {
    if (reply.length % 2 !== 0) throw unreadable()
    return Array.from({ length: reply.length / 2 }, (_, at) => [reply[2 * at], reply[2 * at + 1]] as const)
  }
  if (isPlainObject(reply)) return Object.entries(reply)
  throw unreadable()
}

const unreadable = () =>
  new InputError(
    'The Redis client answers hgetall with something else than an object, a Map or a flat list of fields and texts.',
  )
