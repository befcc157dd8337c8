import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'

/** Whether the parts are ready; `because` says why not, in words that anybody may read. */
export interface Readiness {
  readonly ready: boolean
  readonly because: string | null
}

export interface HealthDeps {
  readonly log: Logger
  readonly clock: Clock
  /** Called after a health ping was answered. Compares in memory; never awaited. */
  readonly onPing: () => void
  /** Asked at most every 5 s, however many ask. */
  readonly readiness: () => Promise<Readiness>
  /** How long an answer of `readiness` is waited for. */
  readonly readinessMs: number
}

/** For how long one answer about readiness stands. */
const READINESS_STANDS_MS = 5_000

/**
 * `/healthz` says that the process lives: it waits for nothing and costs no Redis command. `/readyz` says whether the parts
 * are ready. Both answer GET and HEAD, which pingers use alike.
 */
export function healthRoutes(deps: HealthDeps) {
  const { log, clock, onPing } = deps
  const startedAtMs = clock()
  const askReadiness = createReadiness(deps)
  const ping = () =>
    Promise.resolve()
      .then(onPing)
      .catch((error: unknown) => log.error({ err: error }, 'ping.failed'))

  return async (app: FastifyInstance): Promise<void> => {
    app.get(
      '/healthz',
      {
        onResponse: (_request, reply, done) => {
          done()
          if (reply.statusCode === 200) void ping()
        },
      },
      (_request, reply) => {
        void reply.send({ status: 'ok', uptimeSeconds: Math.max(0, Math.floor((clock() - startedAtMs) / 1_000)) })
      },
    )

    app.get('/readyz', async (_request, reply) => {
      const { ready, because } = await askReadiness()
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', because })
    })
  }
}

/** Asks once for everybody who asks within 5 s, and takes no answer within the deadline for a no. */
function createReadiness({ log, clock, readiness, readinessMs }: HealthDeps): () => Promise<Readiness> {
  const ask = async (): Promise<Readiness> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Readiness>((resolve) => {
      timer = setTimeout(resolve, readinessMs, { ready: false, because: 'The parts did not answer in time.' })
    })
    try {
      return await Promise.race([readiness(), late])
    } catch (error) {
      log.error({ err: error }, 'readiness.failed')
      return { ready: false, because: 'The parts could not be asked.' }
    } finally {
      clearTimeout(timer)
    }
  }

  let latest: { readonly atMs: number; readonly answer: Promise<Readiness> } | undefined
  return () => {
    const nowMs = clock()
    if (latest === undefined || Math.abs(nowMs - latest.atMs) >= READINESS_STANDS_MS) {
      latest = { atMs: nowMs, answer: ask() }
    }
    return latest.answer
  }
}
