import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { isErrorReply, openResp, type RawReply, type RespConnection } from './resp.ts'

/**
 * What happens to a request: carried out (`pass`, or after a delay); refused for the month's limit (`limit` inside each
 * element of a pipeline, `limit-whole` as one HTTP 400) or for lack of room (`full`, writes only); an HTML page instead of
 * an answer; the connection broken before or after it was carried out; never answered and not carried out (`hang`).
 */
export type Fault =
  | 'pass'
  | 'limit'
  | 'limit-whole'
  | 'full'
  | 'html-502'
  | 'reset-before'
  | 'reset-after'
  | 'hang'
  | { readonly delayMs: number }

export interface Faults {
  /** Asked for each request with its number, from 0. Absent: everything passes. */
  onRequest?: (commands: readonly (readonly string[])[], index: number) => Fault
  /** Added to each request. */
  latencyMs: number
}

export interface RestServerOptions {
  /** The Redis behind it, `redis://…`. */
  readonly redisUrl: string
  /** @default 'test-token' */
  readonly token?: string
  readonly latencyMs?: number
}

/** An Upstash-compatible REST server in front of a real Redis. */
export interface RestServer {
  readonly url: string
  readonly token: string
  readonly faults: Faults
  /** Authorized requests so far, whatever became of them. */
  readonly requests: number
  stop(): Promise<void>
}

/** Largest request in bytes, as the provider's free plan has it. */
const LARGEST_REQUEST = 10 * 1024 * 1024

const LIMIT_TEXT =
  'ERR max requests limit exceeded. Limit: 500000, Usage: 500000. See https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details'
const FULL_TEXT = 'ERR DB capacity quota exceeded'
const writes = new Set(['SET', 'APPEND', 'MSET', 'HSET', 'RPUSH', 'LPUSH', 'SADD', 'ZADD', 'XADD', 'INCR', 'INCRBY'])

/** Starts a server on a free port of the loopback interface. */
export async function startRestServer(options: RestServerOptions): Promise<RestServer> {
  const { redisUrl, token = 'test-token', latencyMs = 0 } = options
  const faults: Faults = { latencyMs }
  const redis = reconnecting(redisUrl)
  let requests = 0

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await read(request)
    if (request.headers.authorization !== `Bearer ${token}`) {
      return answer(response, { status: 401, body: { error: 'Unauthorized: Invalid auth token' } })
    }
    const index = requests++
    const asked = parse(request.url ?? '/', body)
    if ('status' in asked) return answer(response, asked)
    const fault = faults.onRequest?.(asked.commands, index) ?? 'pass'
    const delayMs = faults.latencyMs + (typeof fault === 'object' ? fault.delayMs : 0)
    if (delayMs > 0) await pause(delayMs)
    const outcome = await suffer(fault, () => carryOut(asked, fault, redis))
    if (outcome === 'hang') return undefined
    if (outcome === 'reset') return request.socket.destroy()
    return answer(response, outcome, request.headers['upstash-encoding'] === 'base64' ? 'base64' : 'utf8')
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => answer(response, { status: 500, body: { error: 'Internal Server Error' } }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  return {
    url: `http://127.0.0.1:${port}`,
    token,
    faults,
    get requests() {
      return requests
    },
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      redis.close()
    },
  }
}

/** What becomes of a request that suffers a fault. */
async function suffer(fault: Fault, carriedOut: () => Promise<Answer>): Promise<Answer | 'hang' | 'reset'> {
  if (fault === 'hang') return 'hang'
  if (fault === 'reset-before') return 'reset'
  if (fault === 'html-502') return { status: 502, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' }
  if (fault === 'limit-whole') return { status: 400, body: { error: LIMIT_TEXT } }
  const done = await carriedOut()
  return fault === 'reset-after' ? 'reset' : done
}

type Path = '/' | '/pipeline' | '/multi-exec'
interface Asked {
  readonly path: Path
  readonly commands: readonly (readonly string[])[]
}

type Element = { readonly result: RawReply } | { readonly error: string }
interface Answer {
  readonly status: number
  readonly body: unknown
}

async function carryOut({ path, commands }: Asked, fault: Fault, redis: Redis): Promise<Answer> {
  if (path === '/multi-exec') return transaction(commands, redis)
  const elements = await Promise.all(commands.map((command) => carryOutOne(command, fault, redis)))
  if (path === '/pipeline') return { status: 200, body: elements }
  const [element = { error: 'ERR empty command' }] = elements
  return { status: 'error' in element ? 400 : 200, body: element }
}

/** All of a request's commands are written in one tick, so their order is kept. */
async function carryOutOne(command: readonly string[], fault: Fault, redis: Redis): Promise<Element> {
  if (fault === 'limit') return { error: LIMIT_TEXT }
  if (fault === 'full' && writes.has(command[0]?.toUpperCase() ?? '')) return { error: FULL_TEXT }
  const [reply = null] = await redis.call([command])
  return elementOf(reply)
}

async function transaction(commands: Asked['commands'], redis: Redis): Promise<Answer> {
  const replies = await redis.call([['MULTI'], ...commands, ['EXEC']])
  const last = replies.at(-1) ?? null
  if (isErrorReply(last)) return { status: 400, body: last }
  return { status: 200, body: Array.isArray(last) ? last.map(elementOf) : [] }
}

const elementOf = (reply: RawReply): Element => (isErrorReply(reply) ? reply : { result: reply })

interface Redis extends Pick<RespConnection, 'call' | 'close'> {}

/** One connection for all requests, made again after a loss. */
function reconnecting(url: string): Redis {
  let connection: RespConnection | undefined
  let opening: Promise<RespConnection> | undefined
  const open = async () => {
    if (connection?.isOpen) return connection
    opening ??= openResp(url).finally(() => {
      opening = undefined
    })
    connection = await opening
    return connection
  }
  return {
    call: async (commands) => (await open()).call(commands),
    close: () => connection?.close(),
  }
}

function parse(path: string, body: Buffer): Asked | Answer {
  if (body.length > LARGEST_REQUEST) return { status: 413, body: { error: tooLarge(body.length) } }
  if (path !== '/' && path !== '/pipeline' && path !== '/multi-exec')
    return { status: 404, body: { error: 'Not Found' } }
  const asked = parseJson(body)
  const commands = path === '/' ? [asked] : asked
  if (Array.isArray(commands) && commands.every(isCommand)) {
    return { path, commands: commands.map((words) => words.map(wordOf)) }
  }
  return { status: 400, body: { error: 'ERR failed to parse command' } }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

const isCommand = (words: unknown): words is readonly unknown[] => Array.isArray(words) && words.length > 0
const wordOf = (word: unknown) => (typeof word === 'string' ? word : JSON.stringify(word))

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const tooLarge = (bytes: number) =>
  `ERR max request size exceeded. Limit: ${LARGEST_REQUEST} bytes, Actual: ${bytes} bytes. See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details`

function answer(response: ServerResponse, { status, body }: Answer, encoding: BufferEncoding = 'utf8') {
  const isText = typeof body === 'string'
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json' })
  response.end(isText ? body : JSON.stringify(printable(body, encoding)))
}

/** Turns the bytes inside a body into text. `OK` as a whole result is never encoded, as the provider does it. */
function printable(body: unknown, encoding: BufferEncoding): unknown {
  if (Buffer.isBuffer(body)) return body.toString(encoding)
  if (Array.isArray(body)) return body.map((item) => printable(item, encoding))
  if (typeof body !== 'object' || body === null || !('result' in body)) return body
  const { result } = body
  return { result: Buffer.isBuffer(result) && result.equals(OK) ? 'OK' : printable(result, encoding) }
}

const OK = Buffer.from('OK')
