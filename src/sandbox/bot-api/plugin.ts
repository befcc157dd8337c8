import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { secretCheck } from '../../secrets.ts'
import { type Parameters, readArguments } from './arguments.ts'
import type { CallLog } from './call-log.ts'
import { type Envelope, refusalOf } from './envelope.ts'
import { badRequest, CallFailure } from './failures.ts'
import { failureOf, type Fault, type Faults } from './faults.ts'
import type { Method, Methods } from './methods.ts'
import { parseParameters } from './parameters.ts'

export interface PluginDeps {
  readonly token: string
  readonly methods: Methods
  readonly faults: Faults
  readonly log: CallLog
  /** The file at a path that `getFile` named. */
  readonly findFile: (path: string) => ServedFile | undefined
}

export interface ServedFile {
  readonly mimeType: string
  readonly bytes: Buffer
}

/** The routes of the Bot API. */
export interface BotApi {
  readonly plugin: (app: FastifyInstance) => Promise<void>
  /** Breaks the connection of each call that has no answer yet, and of each one that still comes. */
  stop(): void
}

/** Bytes of a body: Telegram's limit for uploads, and some for what stands around them. */
const LARGEST_BODY = 51 * 1024 * 1024

/**
 * Serves `/bot<token>/<method>` and `/file/bot<token>/<path>`, below whatever prefix it is registered with and whatever
 * its parent does with bodies and errors. A connection that breaks, or that gets no answer until `stop`, does so under
 * `inject`, too: the injected request is rejected with the code LIGHT_ECONNRESET.
 */
export function createBotApi(deps: PluginDeps): BotApi {
  const { token, faults } = deps
  const answer = createAnswering(deps)
  const isToken = secretCheck(token)
  const open = new Set<FastifyReply>()
  let isStopped = false

  /** Refuses before the body is read, so that nobody without the token can make it be kept. */
  const admit = async (request: FastifyRequest, reply: FastifyReply) => {
    const path = readPath(request)
    if (path.rest === '') return send(reply, refusalOf(notFound()))
    return isToken(path.token) ? undefined : send(reply, refusalOf(unauthorized(path.token)))
  }

  const serve = async (request: FastifyRequest, reply: FastifyReply) => {
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const outcome = await answer(readPath(request).rest, request, gone.signal)
    if (outcome === 'hang') return reply.hijack()
    return outcome === 'reset' ? cut(reply) : send(reply, outcome)
  }

  /** A call that is cut before its body is read. */
  const noteBroken = (request: FastifyRequest) => {
    const { token: given, rest } = readPath(request)
    if (rest !== '' && isToken(given)) deps.log.begin(rest, {})(BROKEN)
  }

  const serveFile = (request: FastifyRequest, reply: FastifyReply) => {
    const path = readPath(request)
    const file = isToken(path.token) ? deps.findFile(path.rest) : undefined
    if (file === undefined) return send(reply, refusalOf(notFound()))
    return reply.type(file.mimeType).send(file.bytes)
  }

  return {
    plugin: async (app) => {
      takeAnyBody(app)
      app.setErrorHandler((error, request, reply) => {
        const bodyFailure = bodyFailureOf(error)
        const refusal = refusalOf(bodyFailure ?? error)
        if (bodyFailure !== undefined) note(deps.log.begin(readPath(request).rest, {}), refusal)
        return send(reply, refusal)
      })
      app.addHook('onRequest', async (request, reply) => {
        if (isStopped || faults.state().isDown) {
          if (!isStopped && request.routeOptions.url?.includes('/file/') === false) noteBroken(request)
          return cut(reply)
        }
        open.add(reply)
        reply.raw.once('close', () => open.delete(reply))
        return undefined
      })
      const route = { exposeHeadRoute: false, config: { rateLimit: false as const } }
      app.route({ ...route, method: ['GET', 'POST'], url: '/bot*', onRequest: admit, handler: serve })
      app.route({ ...route, method: 'GET', url: '/file/bot*', handler: serveFile })
    },
    stop: () => {
      isStopped = true
      for (const reply of open) cut(reply)
    },
  }
}

function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const settings = { parseAs: 'buffer', bodyLimit: LARGEST_BODY } as const
  app.addContentTypeParser('*', settings, (_request, body, done) => done(null, body))
}

type Outcome = Envelope | 'hang' | 'reset'

const BROKEN = { description: 'The connection was broken.' }

/** Carries calls out, with their faults, and logs them. */
function createAnswering({ methods, faults, log }: PluginDeps) {
  // Telegram does not care for the case of a method's name.
  const byName = new Map(Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]))

  return async (name: string, request: FastifyRequest, signal: AbortSignal): Promise<Outcome> => {
    const parameters = await readParameters(request).catch(refusalOf)
    const isUnreadable = 'status' in parameters
    const noteOutcome = log.begin(name, isUnreadable ? {} : parameters.values)
    const fault = faults.take(name)
    const outcome = isUnreadable
      ? parameters
      : await carryOut({ method: byName.get(name.toLowerCase()), parameters, signal }, fault)
    await faults.slowness()
    const isBroken = outcome === 'reset' || faults.state().isDown
    if (isBroken) noteOutcome(BROKEN)
    else if (outcome !== 'hang') note(noteOutcome, outcome)
    return isBroken ? 'reset' : outcome
  }
}

interface Call {
  readonly method: Method | undefined
  readonly parameters: Parameters
  readonly signal: AbortSignal
}

async function carryOut(call: Call, fault: Fault | undefined): Promise<Outcome> {
  if (fault === 'hang' || fault === 'reset') return fault
  if (fault !== undefined && fault !== 'reset-after') return refusalOf(failureOf(fault))
  const outcome = await run(call)
  return fault === 'reset-after' ? 'reset' : outcome
}

async function run({ method, parameters, signal }: Call): Promise<Envelope> {
  try {
    if (method === undefined) throw new CallFailure(404, 'Not Found: method not found')
    return { status: 200, body: { ok: true, ...(await method(readArguments(parameters), signal)) } }
  } catch (error) {
    return refusalOf(error)
  }
}

const readParameters = ({ url, headers, body }: FastifyRequest) =>
  parseParameters({
    url,
    contentType: headers['content-type'] ?? '',
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
  })

const note = (noteOutcome: ReturnType<CallLog['begin']>, { status, body }: Envelope) =>
  noteOutcome({ status, ...(!body.ok && { description: body.description ?? '' }) })

interface Path {
  readonly token: string
  /** The name of a method, or the path of a file. */
  readonly rest: string
}

/** What follows `/bot`: both empty where that is not a token and something more. */
function readPath({ params }: FastifyRequest): Path {
  const { '*': path = '' } = params as Readonly<Record<string, string | undefined>>
  const [, token = '', rest = ''] = /^([^/]*)\/(.+)$/.exec(path) ?? []
  return { token, rest }
}

const notFound = () => new CallFailure(404, 'Not Found')

/** A token that cannot be one is refused in other words than one that is nobody's. */
const unauthorized = (token: string) =>
  new CallFailure(401, /^[1-9]\d*:[^/]+$/.test(token) ? 'Unauthorized' : 'Unauthorized: invalid token specified')

/** Fastify's own refusal of a body, in Telegram's words; undefined for what a hook of the parent threw. */
function bodyFailureOf(error: unknown): CallFailure | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new CallFailure(413, 'Request Entity Too Large')
  return code.startsWith('FST_ERR_CTP_') ? badRequest("can't read the body") : undefined
}

function cut(reply: FastifyReply): FastifyReply {
  reply.hijack()
  reply.raw.destroy()
  return reply
}

function send(reply: FastifyReply, { status, body, retryAfter }: Envelope): FastifyReply {
  if (retryAfter !== undefined) void reply.header('retry-after', retryAfter)
  return reply.code(status).type('application/json').send(JSON.stringify(body))
}
