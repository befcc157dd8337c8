import { Redis, errors } from '@upstash/redis'
import type { RedisError } from '../errors.ts'
import { broken, closed, isAboutCredentials, noReply, refusal, unanswered, unreachable } from './failures.ts'
import { type Command, type Connection, isValue, type Reply } from './transport.ts'

export interface UpstashOptions {
  /** The REST address, `https://…`. */
  readonly url: string
  readonly token: string
  /** Milliseconds a request may take, its answer's body included. */
  readonly deadlineMs: number
}

/**
 * Talks to Upstash over REST. Each `send` is one HTTP request, whatever the number of commands, and is never repeated.
 *
 * @throws RedisError `REDIS_UNREACHABLE` when the address is not one of a REST server; nothing is sent here.
 */
export function createUpstashConnection({ url, token, deadlineMs }: UpstashOptions): Connection {
  const open = new Set<AbortController>()
  let isClosed = false
  // The client asks for the signal while `post` runs, before another request can begin.
  let signal = new AbortController().signal
  const client = createClient(url, token, () => signal)

  const post: Post = async (path, body) => {
    if (isClosed) throw closed()
    const request = new AbortController()
    const deadline = setTimeout(() => request.abort(), deadlineMs)
    open.add(request)
    signal = request.signal
    try {
      return answerOf(await client.post(path, body))
    } catch (error) {
      if (isClosed) throw closed()
      if (request.signal.aborted) throw unanswered(deadlineMs)
      return refusedAnswer(error)
    } finally {
      clearTimeout(deadline)
      open.delete(request)
    }
  }

  return {
    kind: 'upstash',
    send: async (commands) => {
      const [only, ...others] = commands
      if (only === undefined) return []
      return others.length === 0 ? [await sendOne(post, only)] : sendMany(post, commands)
    },
    close: async () => {
      isClosed = true
      for (const request of open) request.abort()
    },
  }
}

/** What the REST server answered: a body, or the text with which it refused the request as a whole. */
type Answer = { readonly body: unknown } | { readonly refused: string }
type Post = (path: readonly string[], body: unknown) => Promise<Answer>

async function sendOne(post: Post, command: Command): Promise<Reply> {
  const answer = await post([], wordsOf(command))
  if ('body' in answer) return replyOf(command, answer.body)
  if (concernsAll(answer.refused)) throw wholeRefusal(answer.refused)
  return refusal(command[0], answer.refused)
}

async function sendMany(post: Post, commands: readonly Command[]): Promise<readonly Reply[]> {
  const answer = await post(['pipeline'], commands.map(wordsOf))
  if ('refused' in answer) throw wholeRefusal(answer.refused)
  const { body } = answer
  if (!Array.isArray(body) || body.length !== commands.length) throw noReply()
  return commands.map((command, index) => replyOf(command, body[index]))
}

/** Gives access to the request as such, because the client's own commands and pipelines reshape replies and errors. */
class RestClient extends Redis {
  /** Posts one request and resolves with the body of its answer. */
  post(path: readonly string[], body: unknown): Promise<unknown> {
    return this.client.request({ path: [...path], body })
  }
}

const NO_ADDRESS = 'UPSTASH_REDIS_REST_URL is not the address of a REST server'

function createClient(url: string, token: string, signal: () => AbortSignal): RestClient {
  if (!URL.canParse(url)) throw unreachable(NO_ADDRESS)
  try {
    return new RestClient({
      url,
      token,
      signal,
      retry: { retries: 0 },
      automaticDeserialization: false,
      enableAutoPipelining: false,
      enableTelemetry: false,
      responseEncoding: false,
    })
  } catch (error) {
    throw unreachable(NO_ADDRESS, error)
  }
}

const wordsOf = (command: Command) => command.map(String)

/** An answer with status 2xx; a refusal of the whole request may still stand in it. */
const answerOf = (body: unknown): Answer => (isRefusal(body) ? { refused: body.error } : { body })

/** The text of an answer with another status; throws where there is no such text, so no usable answer. */
function refusedAnswer(error: unknown): Answer {
  if (error instanceof errors.UpstashJSONParseError) throw noReply(error)
  if (!(error instanceof errors.UpstashError)) throw broken(error instanceof Error ? (error.cause ?? error) : error)
  const [refused = ''] = error.message.split(', command was: ', 1)
  return { refused }
}

/** Redis's own texts begin with a word in capitals; a gateway's do not, and say nothing about the command. */
const isOfRedis = (text: string) => /^[A-Z]{2,}\b/.test(text)

const concernsAll = (text: string) =>
  !isOfRedis(text) || isAboutCredentials(text) || refusal('the request', text).code === 'REDIS_LIMIT'

const wholeRefusal = (text: string): RedisError =>
  isOfRedis(text) || isAboutCredentials(text)
    ? refusal('the request', text)
    : unreachable('the REST server failed to carry out the request')

/** Decodes one element of an answer, `{ result }` or `{ error }`. */
function replyOf([name]: Command, element: unknown): Reply {
  if (isRefusal(element)) return refusal(name, element.error)
  if (typeof element !== 'object' || element === null || !('result' in element)) throw noReply()
  if (!isValue(element.result)) throw noReply()
  return element.result
}

const isRefusal = (body: unknown): body is { readonly error: string } =>
  typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string'
