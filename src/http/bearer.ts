import type { FastifyInstance, HTTPMethods } from 'fastify'
import { secretCheck } from '../secrets.ts'
import type { Guard } from './guard.ts'
import { ProblemError, type Problem } from './problems.ts'

/** The token of an `Authorization: Bearer <token>` header; undefined for any other form. */
const readBearer = (authorization: string | undefined): string | undefined =>
  /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]

/** The hook of a route that only a request with the token passes: 401 names the variable that the token is the value of. */
export function bearerHook(guard: Guard, { token, variable }: { readonly token: string; readonly variable: string }) {
  const isToken = secretCheck(token)
  return guard((request) => isToken(readBearer(request.headers.authorization)), {
    status: 401,
    code: 'UNAUTHORIZED',
    message: `Send the header Authorization: Bearer with the value of ${variable}.`,
    headers: { 'www-authenticate': 'Bearer' },
  })
}

/** A route that is not configured: answers with the problem before the body is read. */
export const routeOff = (method: HTTPMethods, url: string, problem: Problem) => {
  const refuse = async () => {
    throw new ProblemError(problem)
  }
  return async (app: FastifyInstance): Promise<void> =>
    void app.route({ method, url, onRequest: refuse, handler: refuse })
}
