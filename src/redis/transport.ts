import { RedisError } from '../errors.ts'

/** One Redis command as its words, the upper-case name first. */
export type Command = readonly [name: string, ...args: (string | number)[]]

/** What a command answered: raw as Redis sends it, never parsed. Numbers only where Redis sends an integer. */
export type Value = string | number | null | readonly Value[]

/** A value, or the refusal of this one command while the others of its request were carried out. */
export type Reply = Value | RedisError

/**
 * Sends commands in order, in one request, and resolves with one reply each. The whole contract of a driver.
 *
 * The commands are not a transaction. A driver sends each request exactly once, under a deadline.
 *
 * @throws RedisError when the request as a whole failed. After `REDIS_UNREACHABLE` each of its commands may have been
 *   carried out, may still be, or may never be.
 */
export type Transport = (commands: readonly Command[]) => Promise<readonly Reply[]>

/** A driver in use. */
export interface Connection {
  readonly kind: 'upstash' | 'tcp' | 'memory'
  readonly send: Transport
  /** Ends open requests as unreachable and frees the sockets. */
  close(): Promise<void>
}

/** Milliseconds a request may take before it counts as unanswered. */
export const REQUEST_DEADLINE_MS = 10_000

/**
 * Sends one command and resolves with its value.
 *
 * @throws RedisError when it failed or was refused.
 */
export async function ask(send: Transport, command: Command): Promise<Value> {
  const [reply = null] = await send([command])
  return valueOf(reply)
}

/** The value of a reply; throws the refusal if it is one. */
export function valueOf(reply: Reply): Value {
  if (reply instanceof RedisError) throw reply
  return reply
}

/** A reply that must be text. */
export function textOf(reply: Reply): string {
  const value = valueOf(reply)
  if (typeof value !== 'string') throw unexpected('text')
  return value
}

/** A reply that must be text or nil. */
export function optionalTextOf(reply: Reply): string | undefined {
  return valueOf(reply) === null ? undefined : textOf(reply)
}

/** A reply that must be an integer. */
export function integerOf(reply: Reply): number {
  const value = valueOf(reply)
  if (typeof value !== 'number') throw unexpected('an integer')
  return value
}

/** A reply that must be a list. */
export function listOf(reply: Reply): readonly Value[] {
  const value = valueOf(reply)
  if (value === null || typeof value === 'string' || typeof value === 'number') throw unexpected('a list')
  return value
}

/** Whether what a client library handed over has the shape of a raw reply. */
export const isValue = (value: unknown): value is Value =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'number' ||
  (Array.isArray(value) && value.every(isValue))

const unexpected = (wanted: string) =>
  new RedisError(
    'REDIS_REFUSED',
    `Redis answered with something else than ${wanted}. Is it a Redis server of version 5 or later?`,
  )
