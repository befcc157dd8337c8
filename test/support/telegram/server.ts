import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Parameters, readArguments } from './arguments.ts'
import type { CallLog } from './call-log.ts'
import { badRequest, CallFailure } from './failures.ts'
import { failureOf, type Faults } from './faults.ts'
import { isObject } from './fields.ts'
import type { Method, Methods } from './methods.ts'
import { parseMultipart } from './multipart.ts'

export interface ServerDeps {
  readonly token: string
  readonly methods: Methods
  readonly faults: Faults
  readonly log: CallLog
}

export interface Server {
  readonly url: string
  stop(): Promise<void>
}

/** Serves `/bot<token>/<method>` on a free port of the loopback interface. */
export async function startServer({ token, methods, faults, log }: ServerDeps): Promise<Server> {
  // Telegram does not care for the case of a method's name.
  const byName = new Map(Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]))

  const carryOut = async ({ path, parameters, signal }: Request): Promise<Outcome> => {
    const { method, fault } = path
    if (fault === 'hang') return 'hang'
    if (fault === 'reset') return 'reset'
    if (fault !== undefined && fault !== 'reset-after') return refusal(failureOf(fault))
    const outcome = await call(byName.get(method.toLowerCase()), parameters, signal)
    return fault === 'reset-after' ? 'reset' : outcome
  }

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (faults.isDown) return request.socket.destroy()
    const path = parsePath(request.url ?? '/')
    const parameters = await readParameters(request).catch(refusal)
    if (path === undefined) return send(response, refusal(new CallFailure(404, 'Not Found')))
    if (path.token !== token) return send(response, refusal(unauthorized(path.token)))
    if ('status' in parameters) return send(response, parameters)

    const note = log.begin(path.method, parameters.values)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const fault = faults.take(path.method)
    const outcome = await carryOut({ path: { ...path, fault }, parameters, signal: gone.signal })
    await faults.slowness()
    if (outcome === 'hang') return undefined
    if (outcome === 'reset' || faults.isDown) return request.socket.destroy()
    note({ status: outcome.status, ...(!outcome.body.ok && { description: outcome.body.description ?? '' }) })
    return send(response, outcome)
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => send(response, refusal(error)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      if (!server.listening) return
      faults.stop()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

interface Path {
  readonly token: string
  readonly method: string
}

interface Request {
  readonly path: Path & { readonly fault: ReturnType<Faults['take']> }
  readonly parameters: Parameters
  readonly signal: AbortSignal
}

interface Envelope {
  readonly status: number
  readonly body: { readonly ok: boolean; readonly description?: string } & Readonly<Record<string, unknown>>
  readonly retryAfter?: number
}

type Outcome = Envelope | 'hang' | 'reset'

async function call(method: Method | undefined, parameters: Parameters, signal: AbortSignal): Promise<Envelope> {
  try {
    if (method === undefined) throw new CallFailure(404, 'Not Found: method not found')
    return { status: 200, body: { ok: true, ...(await method(readArguments(parameters), signal)) } }
  } catch (error) {
    return refusal(error)
  }
}

/** Telegram's envelope of a refusal. What is none is a defect of the stand-in, which a test shall see. */
function refusal(error: unknown): Envelope {
  const failure = error instanceof CallFailure ? error : new CallFailure(500, `Internal Server Error: ${String(error)}`)
  const { status, message: description, parameters } = failure
  const body = { ok: false, error_code: status, description, ...(parameters !== undefined && { parameters }) }
  const retryAfter = parameters?.retry_after
  return { status, body, ...(retryAfter !== undefined && { retryAfter }) }
}

/** A token that cannot be one is refused in other words than one that is nobody's. */
const unauthorized = (token: string) =>
  new CallFailure(401, /^[1-9]\d*:[^/]+$/.test(token) ? 'Unauthorized' : 'Unauthorized: invalid token specified')

function parsePath(url: string): Path | undefined {
  const match = /^\/bot([^/?]*)\/([^/?]*)/.exec(url)
  if (match === null) return undefined
  const [, token = '', method = ''] = match
  return { token: decodeURIComponent(token), method }
}

/** The parameters of the query string and of the body, whichever of the three kinds it is. */
async function readParameters(request: IncomingMessage): Promise<Parameters> {
  const body = await read(request)
  const type = request.headers['content-type'] ?? ''
  const query = Object.fromEntries(new URL(request.url ?? '/', 'http://localhost').searchParams)
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (boundary !== undefined) {
    const { values, files } = parseMultipart(body, boundary)
    return { values: { ...query, ...values }, files }
  }
  if (/^application\/json/i.test(type)) return { values: { ...query, ...parseJson(body) }, files: new Map() }
  return { values: { ...query, ...Object.fromEntries(new URLSearchParams(body.toString())) }, files: new Map() }
}

function parseJson(body: Buffer): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {}
  try {
    const value: unknown = JSON.parse(body.toString())
    if (isObject(value)) return value
  } catch {
    // Refused below, like JSON that is no object.
  }
  throw badRequest("Can't parse JSON object")
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

function send(response: ServerResponse, { status, body, retryAfter }: Envelope) {
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
  response.writeHead(status, { 'content-type': 'application/json' })
  return response.end(JSON.stringify(body))
}
