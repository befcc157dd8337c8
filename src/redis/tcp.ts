import { Redis } from 'ioredis'
import { isRedisError, type RedisError } from '../errors.ts'
import { addressOf } from './address.ts'
import { sendsOnce } from './client-options.ts'
import { broken, closed, noReply, refusal, unanswered, unconnected } from './failures.ts'
import { type Command, type Connection, isValue, type Reply } from './transport.ts'

export interface TcpOptions {
  /** `redis://[user[:password]@]host[:port][/database]`, `rediss://` for TLS. Query parameters are ignored. */
  readonly url: string
  /** Milliseconds a request may take, connecting included. */
  readonly deadlineMs: number
}

/**
 * Talks to a Redis server over one TCP or TLS connection, made at the first `send` and made again by itself after a loss.
 * Each `send` is written once, in one piece, and never repeated. Command names must be in upper case.
 *
 * A request that misses its deadline drops the connection, for the network may have lost it silently; what else waits on
 * it ends as unreachable.
 *
 * @throws RedisError `REDIS_UNREACHABLE` when the address is not usable; nothing is sent here.
 */
export function createTcpConnection({ url, deadlineMs }: TcpOptions): Connection {
  const redis = createClient(url, deadlineMs)
  const whenReady = watch(redis)
  const open = new Set<AbortController>()
  let isClosed = false

  const send = async (commands: readonly Command[]) => {
    if (isClosed) throw closed()
    if (commands.length === 0) return []
    const request = new AbortController()
    const miss = () => {
      request.abort(redis.status === 'ready' ? unanswered(deadlineMs) : unconnected(deadlineMs))
      redis.disconnect(true)
    }
    const deadline = setTimeout(miss, deadlineMs)
    open.add(request)
    try {
      const replies = whenReady().then(() => exchange(redis, commands, request.signal))
      return await Promise.race([replies, aborted(request.signal)])
    } finally {
      clearTimeout(deadline)
      open.delete(request)
    }
  }

  return {
    kind: 'tcp',
    send,
    close: async () => {
      isClosed = true
      for (const request of open) request.abort(closed())
      redis.disconnect()
    },
  }
}

/** Milliseconds before the first and at most between two attempts to connect again. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000

function createClient(url: string, deadlineMs: number): Redis {
  return new Redis({
    ...addressOf(url),
    ...sendsOnce,
    connectTimeout: deadlineMs,
    retryStrategy: (attempt) => Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS),
  })
}

/**
 * Follows the state of a client. The function that it returns resolves when a connection is ready to be written to; it
 * begins one where none is under way, and throws when the attempt that is under way fails.
 */
function watch(redis: Redis): () => Promise<void> {
  let opening: Promise<void> | undefined
  let failure: RedisError | undefined
  redis.on('connecting', () => {
    failure = undefined
  })
  redis.on('error', (error: Error) => {
    // The first error of an attempt is the cause of the others.
    failure ??= failureOf('the connection', error)
    // A wrong password or database stays wrong, so nothing but the next request tries again. After any other error in
    // use, replies may no longer belong to their commands.
    if (isRedisError(failure, 'REDIS_REFUSED')) redis.disconnect()
    else if (redis.status === 'ready') redis.disconnect(true)
  })

  const attempt = () =>
    new Promise<void>((resolve, reject) => {
      // The connection that is just being left may still say so; that is not the end of the attempt.
      let isLeaving = redis.status === 'ready'
      const settle = (isReady: boolean) => {
        redis.off('ready', onReady).off('close', onClose).off('end', onEnd)
        if (isReady) resolve()
        else reject(failure ?? broken(undefined))
      }
      const onReady = () => settle(true)
      const onEnd = () => settle(false)
      const onClose = () => {
        if (!isLeaving) settle(false)
        isLeaving = false
      }
      redis.on('ready', onReady).on('close', onClose).on('end', onEnd)
      if (redis.status === 'wait' || redis.status === 'end') redis.connect().catch(() => {})
    })

  return async () => {
    if (opening === undefined && redis.status === 'ready' && redis.stream.writable) return
    // Shared, so that requests of one tick are written in the order in which they were made.
    opening ??= attempt().finally(() => {
      opening = undefined
    })
    await opening
  }
}

async function exchange(redis: Redis, commands: readonly Command[], signal: AbortSignal): Promise<readonly Reply[]> {
  signal.throwIfAborted()
  const pipeline = redis.pipeline()
  // The client reshapes replies of commands named in lower case only (HGETALL would become an object).
  for (const [name, ...args] of commands) pipeline.call(name, args)
  const results = (await pipeline.exec()) ?? []
  return commands.map(([name], index) => replyOf(name, results[index]))
}

/** Decodes one result of a pipeline. */
function replyOf(name: string, [error, value]: readonly [error?: Error | null, value?: unknown] = []): Reply {
  if (error && !isReplyError(error)) throw failureOf(name, error)
  if (error) return refusal(name, error.message)
  if (!isValue(value)) throw noReply()
  return value
}

/** What an error of the client means: a refusal by the server, an answer that is none, or a broken connection. */
function failureOf(name: string, error: Error): RedisError {
  if (isReplyError(error)) return refusal(name, error.message)
  return error.message.startsWith('Unknown RESP type') ? noReply(error) : broken(error)
}

const isReplyError = ({ name }: Error) => name === 'ReplyError'

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
