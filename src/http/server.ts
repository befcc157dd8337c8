import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { clientErrors } from './client-errors.ts'
import { createDrain } from './drain.ts'
import { engineRoute, type EngineDeps } from './engine.ts'
import { createGuard } from './guard.ts'
import { healthRoutes, type Readiness } from './health.ts'
import { metricsRoute, type MetricsDeps } from './metrics.ts'
import { problemBody, ProblemError, problemOf, type Problem } from './problems.ts'
import { defaultTimeouts, type HttpTimeouts } from './timeouts.ts'
import { usageRoute, type UsageDeps } from './usage.ts'
import { intakeRoute, stopping, telegramRoute, type IntakeDeps, type TelegramDeps } from './webhooks.ts'

export interface HttpDeps {
  /** Gets one line for each request that failed; never a body, a header, an address or a URL. */
  readonly log: Logger
  readonly clock: Clock
  /** Called after a health ping was answered. Compares in memory; never awaited. */
  readonly onPing: () => void
  /** Whether the parts are ready. Asked at most every 5 s and waited for at most 2 s. */
  readonly readiness: () => Promise<Readiness>
  /** Absent while polling: then the route is unknown. */
  readonly telegram?: TelegramDeps
  /** Absent without INTAKE_TOKEN: then the route answers 404 and says what to set. */
  readonly intake?: IntakeDeps
  /** Absent without API_TOKEN: then the route answers 404 and says what to set. */
  readonly metrics?: MetricsDeps
  /** Absent without API_TOKEN: then the route answers 404 and says what to set. */
  readonly usage?: UsageDeps
  /** Absent without INNGEST_APP_ID: then the route is unknown. */
  readonly engine?: EngineDeps
  /** Adds what the sandbox serves, and its own check of each request; absent with a bot token. */
  readonly sandbox?: (app: FastifyInstance) => Promise<void>
}

export interface HttpServer {
  /**
   * Resolves with the address, such as `http://127.0.0.1:3000`. Port 0 takes a free one.
   *
   * @throws the system's error, such as EADDRINUSE.
   */
  listen(host: string, port: number): Promise<string>
  /** Takes nothing new, lets requests in flight be answered for at most 10 s, and ends. May be called again. */
  close(): Promise<void>
  /** Sends a request without a socket, for tests. */
  readonly inject: FastifyInstance['inject']
}

const unknownRoute: Problem = { status: 404, code: 'NOT_FOUND', message: 'There is no such route.' }
const badUrl: Problem = { status: 400, code: 'BAD_URL', message: 'The path is not well formed.' }

/** Puts the HTTP service together. It listens to nothing before `listen` and costs no Redis command by itself. */
export async function createHttpServer(deps: HttpDeps, given: Partial<HttpTimeouts> = {}): Promise<HttpServer> {
  const { log, telegram, intake, metrics, usage, engine, sandbox } = deps
  const timeouts = { ...defaultTimeouts, ...given }
  const app = createFastify(log, timeouts)
  const drain = createDrain(app.server)

  await app.register(helmet, securityHeaders)
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' })
    if (drain.isClosing()) return done(new ProblemError(stopping))
    // Before Fastify reads the body of a request that nobody wants.
    return done(request.is404 ? new ProblemError(unknownRoute) : undefined)
  })
  tellFailures(app, log)
  await sandbox?.(app)

  const parts = { guard: await createGuard(app), log, isClosing: drain.isClosing }
  await app.register(healthRoutes({ ...deps, readinessMs: timeouts.readinessMs }))
  await app.register(intakeRoute(intake, parts))
  if (telegram !== undefined) await app.register(telegramRoute(telegram, parts))
  await app.register(metricsRoute(metrics, parts))
  await app.register(usageRoute(usage, parts))
  if (engine !== undefined) await app.register(engineRoute(engine, { ...parts, clock: deps.clock }))
  await app.ready()

  let closed: Promise<void> | undefined
  const close = async () => {
    const cut = await drain.close(timeouts.closeMs)
    if (cut > 0) log.warn({ event: 'http.cut', requests: cut }, 'http.cut')
    await app.close()
  }
  return {
    listen: (host, port) => app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port }),
    close: () => (closed ??= close()),
    inject: app.inject.bind(app),
  }
}

function createFastify(log: Logger, { requestMs, checkEveryMs, silenceMs, keepAliveMs }: HttpTimeouts) {
  const app = fastify({
    // Fastify itself logs nothing: its lines hold URLs, addresses and foreign messages.
    logger: false,
    http: { requestTimeout: requestMs, connectionsCheckingInterval: checkEveryMs },
    requestTimeout: requestMs,
    connectionTimeout: silenceMs,
    keepAliveTimeout: keepAliveMs,
    bodyLimit: 1_048_576,
    // One hop: the platform's proxy appends the address it saw; what is left of that anybody may have written.
    trustProxy: (_address, hop) => hop < 1,
    genReqId: requestId,
    clientErrorHandler: clientErrors(log),
    frameworkErrors: (_error, _request, reply) => void refuse(reply, badUrl),
  })
  app.removeContentTypeParser('text/plain')
  return app
}

/** Answers errors as JSON, and writes one line for each request that failed, with the error unless it was a refusal. */
function tellFailures(app: FastifyInstance, log: Logger): void {
  const causes = new WeakMap<FastifyRequest, unknown>()

  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problem.status >= 500 && !(error instanceof ProblemError)) causes.set(request, error)
    return refuse(reply, problem)
  })

  app.addHook('onResponse', (request, reply, done) => {
    done()
    const status = reply.statusCode
    if (status < 400) return
    const facts = {
      event: 'request.failed',
      method: request.method,
      route: request.routeOptions.url ?? null,
      status,
      ms: Math.round(reply.elapsedTime),
      requestId: request.id,
    }
    if (!causes.has(request)) log.info(facts, 'request.failed')
    else log[status === 500 ? 'error' : 'warn']({ ...facts, err: causes.get(request) }, 'request.failed')
  })
}

const refuse = (reply: FastifyReply, problem: Problem) =>
  reply
    .code(problem.status)
    .headers({ ...problem.headers })
    .send(problemBody(problem))

/** The id that a proxy gave a request, if it is harmless to repeat and to log; else a new one. */
function requestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(given) ? given : randomUUID()
}

/** Nothing here is a page: no script, style, frame or form is allowed. HSTS leaves a domain's other hosts alone. */
const securityHeaders: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
  },
  xFrameOptions: { action: 'deny' },
  strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
}
