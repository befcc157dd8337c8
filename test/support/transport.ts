import { RedisError, type RedisErrorCode } from '../../src/errors.ts'
import type { Command, Reply, Transport } from '../../src/redis/transport.ts'

/** What a test makes of one request; `carryOut` sends it on. */
export type OnRequest = (
  commands: readonly Command[],
  carryOut: () => Promise<readonly Reply[]>,
) => Promise<readonly Reply[]>

/** A transport in front of another one that remembers what was sent, and whose requests a test may spoil. */
export interface WatchedTransport {
  readonly send: Transport
  /** The commands that were sent since the start or the last `forget()`. */
  sent(): readonly Command[]
  forget(): void
  /** Absent: everything passes. */
  onRequest?: OnRequest | undefined
}

export function watched(send: Transport): WatchedTransport {
  let sent: Command[] = []
  const watch: WatchedTransport = {
    send: async (commands) => {
      sent.push(...commands)
      const carryOut = () => send(commands)
      return watch.onRequest === undefined ? carryOut() : watch.onRequest(commands, carryOut)
    },
    sent: () => sent,
    forget: () => {
      sent = []
    },
  }
  return watch
}

export const failure = (code: RedisErrorCode) => new RedisError(code, `A test made this failure (${code}).`)

/** A command that never arrived. */
export const lost: OnRequest = async () => {
  throw failure('REDIS_UNREACHABLE')
}

/** A command that was carried out, but whose answer was lost. */
export const lostReply: OnRequest = async (_, carryOut) => {
  await carryOut()
  throw failure('REDIS_UNREACHABLE')
}

/** Spoils the next requests that hold a command of this name, `times` of them; the others pass. */
export function spoil(name: string, with_: OnRequest, times = 1): OnRequest {
  let left = times
  return async (commands, carryOut) => {
    const isMeant = commands.some(([word]) => word === name) && left > 0
    if (!isMeant) return carryOut()
    left -= 1
    return with_(commands, carryOut)
  }
}
