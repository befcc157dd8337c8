import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Guard } from './guard.ts'
import type { Problem } from './problems.ts'

/** What serves functions to an engine, as `inngest/fastify` does; it checks the signature of each request itself. */
export interface EngineDeps {
  /** A Fastify plugin that these options, and no others, are for. */
  plugin(app: FastifyInstance, options: object, done: (error?: Error) => void): void
  readonly options: object
  /** Whether each request must be signed: not in development. */
  readonly isSigned: boolean
}

export interface EngineParts {
  readonly guard: Guard
  readonly clock: Clock
}

/** The most that an engine sends: 4 MB of what the steps of a run have come to, and what is around it. */
const ENGINE_BYTES = 5 * 1_024 * 1_024

/** Milliseconds that a signature holds, before and after its time. */
const SIGNED_MS = 5 * 60_000

/**
 * The engine's path, which the plugin names: 401 before the body is read for what cannot be signed well. An empty body is no
 * mistake there: a registration has nothing to say.
 */
export const engineRoute =
  (engine: EngineDeps, { guard, clock }: EngineParts) =>
  async (app: FastifyInstance): Promise<void> => {
    const parse = app.getDefaultJsonParser('error', 'error')
    app.removeContentTypeParser('application/json')
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      if (body === '') done(null)
      else void parse(request, String(body), done)
    })
    if (engine.isSigned) {
      const seemsSigned = (request: FastifyRequest) => canBeSignature(request.headers['x-inngest-signature'], clock())
      app.addHook('onRequest', guard(seemsSigned, unsigned))
    }
    app.addHook('onRoute', (route) => {
      route.bodyLimit = ENGINE_BYTES
    })
    app.addHook('onSend', async (_request, reply, payload) =>
      reply.statusCode >= 500 && typeof payload === 'string' ? withoutStack(payload) : payload,
    )
    await app.register((scope, options, done) => engine.plugin(scope, options, done), engine.options)
  }

const unsigned: Problem = {
  status: 401,
  code: 'UNAUTHORIZED',
  message: 'The header X-Inngest-Signature is missing, not well formed, or more than five minutes off.',
}

/** Whether a header may be a signature, `t=<seconds>&s=<64 hex digits>`, of this time; only the body tells whether it is one. */
function canBeSignature(header: string | readonly string[] | undefined, nowMs: number): boolean {
  if (typeof header !== 'string') return false
  const [, seconds] = /^t=(\d{1,12})&s=[0-9a-f]{64}$/i.exec(header) ?? []
  return seconds !== undefined && Math.abs(nowMs - Number(seconds) * 1_000) <= SIGNED_MS
}

/** The package's own errors name paths of this machine. */
function withoutStack(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload, (name, value: unknown) => (name === 'stack' ? undefined : value)))
  } catch {
    return payload
  }
}
