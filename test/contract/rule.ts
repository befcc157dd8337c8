import { RedisError, type RedisErrorCode } from '../../src/errors.ts'
import type { Command, Reply } from '../../src/redis/transport.ts'

/** Sends the commands as one request of the driver under test. */
export type Send = (...commands: Command[]) => Promise<readonly Reply[]>

/** Declares one rule of the contract. Each starts with an empty database. */
export type Rule = (title: string, check: (send: Send) => Promise<void>) => void

/** The code of a refusal that stands in the place of a reply. */
export const codeOf = (reply: Reply | undefined): RedisErrorCode | undefined =>
  reply instanceof RedisError ? reply.code : undefined

/** Names with a running number. */
export const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)
