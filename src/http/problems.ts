import { InputError, isRedisError } from '../errors.ts'

/** What a request is refused with. Its texts are fixed or an `InputError`'s: they hold no value of the request. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A refusal that a hook or a route decided on; anything else that is thrown there is judged by `problemOf`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

/** The body of every refusal. */
export const problemBody = ({ code, message }: Problem) => ({ error: { code, message } })

const badJson = { status: 400, code: 'BAD_JSON', message: 'The body must be one JSON text.' }

/** What Fastify's own errors are called outside. */
const ofFastify: Readonly<Record<string, Problem>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: badJson,
  FST_ERR_CTP_INVALID_JSON_BODY: badJson,
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'TOO_LARGE', message: 'The body is larger than this route takes.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'NOT_JSON',
    message: 'Send the body with the header Content-Type: application/json.',
  },
}

const badRequest: Problem = { status: 400, code: 'BAD_REQUEST', message: 'The request is not well formed.' }

const unexpected: Problem = {
  status: 500,
  code: 'UNEXPECTED',
  message: 'Something failed here. The log has it under the request id of this answer.',
}

/** What a request is told of an error. A foreign error's message, code and stack stay inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof InputError) return { status: 422, code: error.code, message: error.message }
  if (isRedisError(error)) return storeProblem(error.code)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code.startsWith('FST_ERR_CTP_') ? (ofFastify[code] ?? badRequest) : unexpected
}

/** An hour for a limit that ends with the month or with a plan; a few seconds for a store that is on its way back. */
const storeProblem = (code: string): Problem => ({
  status: 503,
  code,
  message: 'The store does not take this now. Send the same again later: nothing is stored twice.',
  headers: { 'retry-after': code === 'REDIS_LIMIT' ? '3600' : '10' },
})
