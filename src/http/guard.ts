import { isIP } from 'node:net'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { ProblemError, type Problem } from './problems.ts'

/** Failed authentications that one address may have in a minute. */
const FAILURES_A_MINUTE = 20

/** Makes the hook of a route that only a request with the right secret passes. */
export type Guard = (isRight: (request: FastifyRequest) => boolean, problem: Problem) => onRequestAsyncHookHandler

/**
 * Authenticates before the body is read. Only failures are counted, so a right secret passes whatever else came from its
 * address; further failures are answered 429. At most 5 000 addresses (networks of 64 bits in IPv6) are remembered.
 */
export async function createGuard(app: FastifyInstance): Promise<Guard> {
  await app.register(rateLimit, { global: false })
  const fail = app.createRateLimit({
    max: FAILURES_A_MINUTE,
    timeWindow: 60_000,
    // Without a proxy in front anybody can write anything into X-Forwarded-For.
    keyGenerator: ({ ip }) => (isIP(ip) === 0 ? 'unknown' : rateLimit.normalizeIP(ip)),
  })
  return (isRight, problem) => async (request) => {
    if (isRight(request)) return
    const failures = await fail(request)
    throw new ProblemError(!failures.isAllowed && failures.isExceeded ? tooMany(failures.ttlInSeconds) : problem)
  }
}

const tooMany = (waitSeconds: number): Problem => ({
  status: 429,
  code: 'TOO_MANY_FAILURES',
  message: 'Too many requests with a wrong secret came from this address. One with the right secret still passes.',
  headers: { 'retry-after': String(waitSeconds) },
})
