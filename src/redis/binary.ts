import { Redis } from 'ioredis'
import { isRedisError, RedisError } from '../errors.ts'
import { addressOf } from './address.ts'
import { sendsOnce } from './client-options.ts'
import { broken, isAboutCredentials, noReply, refusal } from './failures.ts'
import { worstCost, type Cost } from './meter.ts'

/** One command as its words; keys and values are bytes. */
export type BinaryCommand = readonly [name: string, ...args: (string | number | Buffer)[]]

/** What a command answered, texts as their bytes. */
export type BinaryValue = Buffer | number | null | readonly BinaryValue[]

/** The refusal of one command, while the others of its request were carried out. */
export interface Refused {
  readonly error: RedisError
  /** The server's words up to the first quote or punctuation mark: no argument is among them. */
  readonly words: string
}

export type BinaryReply = BinaryValue | Refused

/** One connection that keeps bytes as they are. It is not made again after a loss. */
export interface BinaryConnection {
  /** Sends commands in order, in one request. @throws RedisError when the request as a whole failed. */
  send(commands: readonly BinaryCommand[]): Promise<readonly BinaryReply[]>
  /**
   * Sends commands as one transaction, in one request: 2 commands more. Undefined when a key that is watched was changed, so
   * that none was carried out. @throws RedisError when the server refused the whole.
   */
  transact(commands: readonly BinaryCommand[]): Promise<readonly BinaryReply[] | undefined>
  /** What was sent so far. */
  cost(): Pick<Cost, 'billed' | 'requests'>
  close(): void
}

/** A server's address, or the path of its socket. */
export type BinaryTarget = { readonly url: string } | { readonly path: string }

/** Milliseconds of silence after which a server that owes an answer counts as unreachable: one value may be hundreds of megabytes. */
const SILENCE_MS = 120_000

/** Milliseconds for making the connection. */
const CONNECT_MS = 10_000

/**
 * Opens a connection to database 0, whatever database the address names.
 *
 * @throws RedisError when the address is not usable, nobody listens there, or the credentials are refused.
 */
export async function openBinary(target: BinaryTarget): Promise<BinaryConnection> {
  const redis = new Redis({
    ...('url' in target ? { ...addressOf(target.url), db: 0 } : target),
    ...sendsOnce,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: () => null,
  })
  let failure: Error | undefined
  redis.on('error', (error: Error) => (failure ??= error))
  try {
    await redis.connect()
  } catch (error) {
    redis.disconnect()
    throw failureOf('the connection', failure ?? error)
  }
  let [billed, requests] = [0, 0]
  const answersTo = async (commands: readonly BinaryCommand[]) => {
    requests += 1
    billed += worstCost(commands.map(([name]) => [name]))
    return await exchange(redis, commands)
  }
  return {
    send: async (commands) => (commands.length === 0 ? [] : repliesTo(commands, await answersTo(commands))),
    transact: async (commands) => {
      const whole: readonly BinaryCommand[] = [['MULTI'], ...commands, ['EXEC']]
      return transacted(commands, await answersTo(whole))
    },
    cost: () => ({ billed, requests }),
    close: () => redis.disconnect(),
  }
}

/** Whether a reply is the refusal of its command. */
export const isRefused = (reply: BinaryReply | undefined): reply is Refused =>
  typeof reply === 'object' && reply !== null && 'words' in reply

/** Whether a server refused a command because it has none of that name or offers it to nobody, not because of the user. */
export const isMissing = ({ words }: Refused): boolean =>
  /^ERR\b.*\b(unknown|not available|not allowed|disabled|not supported|unsupported)\b/i.test(words)

/** Sends one command and resolves with its value. @throws RedisError when it failed or was refused. */
export async function askBinary(
  { send }: Pick<BinaryConnection, 'send'>,
  command: BinaryCommand,
): Promise<BinaryValue> {
  const [reply = null] = await send([command])
  return binaryValueOf(reply)
}

/** The value of a reply. @throws RedisError the refusal, if it is one. */
export function binaryValueOf(reply: BinaryReply): BinaryValue {
  if (isRefused(reply)) throw reply.error
  return reply
}

/** A reply that must be a list. */
export function binaryListOf(reply: BinaryReply | undefined): readonly BinaryValue[] {
  const value = binaryValueOf(reply ?? null)
  if (value === null || typeof value === 'number' || Buffer.isBuffer(value)) throw noReply()
  return value
}

/** A reply that must be bytes. */
export function bytesOf(reply: BinaryReply | undefined): Buffer {
  const value = binaryValueOf(reply ?? null)
  if (!Buffer.isBuffer(value)) throw noReply()
  return value
}

/** What came for one command: an error, or a value that is yet to be judged. */
type Answer = readonly [error?: Error | null, value?: unknown]

async function exchange(redis: Redis, commands: readonly BinaryCommand[]): Promise<readonly Answer[]> {
  const pipeline = redis.pipeline()
  for (const [name, ...args] of commands) pipeline.callBuffer(name, args)
  const answers = await pipeline.exec().catch((error: unknown) => {
    throw failureOf('the connection', error)
  })
  return answers ?? []
}

const repliesTo = (commands: readonly BinaryCommand[], answers: readonly Answer[]): readonly BinaryReply[] =>
  commands.map(([name], at) => replyOf(name, answers[at]))

function transacted(commands: readonly BinaryCommand[], answers: readonly Answer[]) {
  // A command that is refused when it comes is told there, and the whole is not carried out.
  for (const reply of repliesTo([['MULTI'], ...commands], answers)) binaryValueOf(reply)
  const [error, values] = answers[commands.length + 1] ?? []
  if (error) binaryValueOf(replyOf('EXEC', [withoutAbort(error)]))
  if (values === null) return undefined
  if (!Array.isArray(values) || values.length !== commands.length) throw noReply()
  const each = values.map((value: unknown): Answer => (value instanceof Error ? [value] : [null, value]))
  return repliesTo(commands, each)
}

/** A server that got full since the commands came tells it behind other words. */
function withoutAbort(error: Error): Error {
  error.message = error.message.replace(/^EXECABORT [^:]*: /, '')
  return error
}

function replyOf(name: string, [error, value]: Answer = []): BinaryReply {
  if (error && !isReplyError(error)) throw failureOf(name, error)
  if (error) return { error: refusedBecause(name, error.message), words: wordsOf(error.message) }
  if (!isBinaryValue(value)) throw noReply()
  return value
}

function failureOf(name: string, error: unknown): RedisError {
  if (isRedisError(error)) return error
  return isReplyError(error) ? refusedBecause(name, error.message) : broken(error)
}

/** The address may come from a command line, so that no variable is to blame for its credentials. */
const refusedBecause = (name: string, text: string) =>
  isAboutCredentials(text)
    ? new RedisError(
        'REDIS_REFUSED',
        'Redis refused the credentials. Check the user and password of its address, or REDISCLI_AUTH.',
      )
    : refusal(name, text)

const isReplyError = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

const wordsOf = (text: string) => (/^[A-Za-z0-9 _-]{1,80}/.exec(text)?.[0] ?? '').trim()

const isBinaryValue = (value: unknown): value is BinaryValue =>
  value === null ||
  typeof value === 'number' ||
  Buffer.isBuffer(value) ||
  (Array.isArray(value) && value.every(isBinaryValue))
