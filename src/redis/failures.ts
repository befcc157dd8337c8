import { framesOf, RedisError } from '../errors.ts'

const LIMIT = /max (daily )?requests? limit exceeded/i
const FULL = /^OOM\b|capacity quota exceeded/i
/** Answers of a server that is alive but cannot serve yet: for the caller the same as no answer. */
const NOT_YET = /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/
const CREDENTIALS = /^(WRONGPASS|NOAUTH)\b|invalid password|unauthorized/i

/**
 * Sorts an error text of a Redis server into the kinds that callers tell apart.
 *
 * Server texts may repeat arguments ("unknown command 'x', with args beginning with: …"), and @upstash/redis appends the
 * whole command, so only the words before the first quote or punctuation mark are kept.
 */
export function refusal(commandName: string, text: string): RedisError {
  const words = firstWords(text)
  if (LIMIT.test(words)) {
    return new RedisError(
      'REDIS_LIMIT',
      "The provider's monthly command limit is reached, so it refuses every command until the reset. Wait for it or change the plan.",
    )
  }
  if (FULL.test(words)) {
    return new RedisError(
      'REDIS_FULL',
      `Redis has no room left and refused ${commandName}. Free some (\`orderly sweep orders --apply\` still works) or give it more.`,
    )
  }
  if (/^WRONGTYPE\b/.test(words)) {
    return new RedisError('REDIS_WRONG_TYPE', `${commandName} met a key of another type.`)
  }
  if (NOT_YET.test(words)) {
    return new RedisError('REDIS_UNREACHABLE', `Redis is not ready to serve ${commandName} yet (${words}).`)
  }
  if (isAboutCredentials(text)) {
    return new RedisError(
      'REDIS_REFUSED',
      'Redis refused the credentials. Check the user and password, or the token, that were given for it.',
    )
  }
  if (/^READONLY\b/.test(words)) {
    return new RedisError('REDIS_REFUSED', `Redis refused ${commandName}: it is a read-only replica. Use its primary.`)
  }
  if (/^NOPERM\b/.test(words)) {
    return new RedisError('REDIS_REFUSED', `Redis refused ${commandName}: its user may not run it, or not on this key.`)
  }
  return new RedisError('REDIS_REFUSED', `Redis refused ${commandName}: ${words}.`)
}

/** Whether a server's error text says that token, user or password are wrong or missing. */
export const isAboutCredentials = (text: string) => CREDENTIALS.test(firstWords(text))

/** A request that got no answer: `why` is a word or two of ours, such as `no answer within 10 s`. */
export const unreachable = (why: string, cause?: unknown) =>
  new RedisError('REDIS_UNREACHABLE', `Redis is unreachable: ${why}.`, { cause: withoutValues(cause) })

/** A request that was not answered in time. */
export const unanswered = (deadlineMs: number) => unreachable(`no answer within ${deadlineMs / 1000} s`)

/** A connection that could not be made in time, so that nothing was sent. */
export const unconnected = (deadlineMs: number) => unreachable(`no connection within ${deadlineMs / 1000} s`)

/** An answer that is not one of a Redis server. */
export const noReply = (cause?: unknown) => unreachable('it answered with something that is no Redis reply', cause)

/** A connection that could not be made or broke; names the system's code (`ECONNREFUSED`) where there is one. */
export function broken(cause: unknown): RedisError {
  const code = codeOf(cause)
  return unreachable(`the connection failed${code === '' ? '' : ` (${code})`}`, cause)
}

/** A request on a connection that its owner has closed. */
export const closed = () => unreachable('its connection was closed')

/**
 * A stand-in for a foreign error that keeps its class, code and stack frames but not its message and properties, which
 * may hold commands with customers' data, addresses with passwords, or tokens.
 */
export function withoutValues(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  const bare = new Error([error.name, codeOf(error)].filter(Boolean).join(' '))
  bare.stack = [`Error: ${bare.message}`, ...framesOf(error).map((line) => `    ${line}`)].join('\n')
  return bare
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return ''
  return /^[A-Z0-9_]{1,40}$/.test(error.code) ? error.code : ''
}

const firstWords = (text: string) => (/^[A-Za-z0-9 _-]{1,80}/.exec(text)?.[0] ?? 'no reason given').trim()
