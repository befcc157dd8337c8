import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import type { Logger } from 'pino'
import { problemBody, type Problem } from './problems.ts'

const late: Problem = { status: 408, code: 'TOO_SLOW', message: 'The request took too long to arrive.' }
const wide: Problem = { status: 431, code: 'HEADERS_TOO_LARGE', message: 'The headers are larger than 16 kB.' }
const broken: Problem = { status: 400, code: 'BAD_REQUEST', message: 'This is not HTTP.' }

/**
 * Answers what never became a request, then ends the connection. Logs the error's code only: the error itself holds the
 * bytes that were sent.
 */
export const clientErrors =
  (log: Logger) =>
  ({ code }: ConnectionError, socket: Socket): void => {
    if (code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const problem = problemFor(code)
    log.info({ event: 'request.failed', method: null, route: null, status: problem.status, code }, 'request.failed')
    const body = JSON.stringify(problemBody(problem))
    socket.write(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nConnection: close\r\n` +
        `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    socket.destroySoon()
  }

function problemFor(code: string): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return late
  return code === 'HPE_HEADER_OVERFLOW' ? wide : broken
}
