import { pino, type DestinationStream, type Logger } from 'pino'
import { AppError, framesOf } from './errors.ts'
import type { Emit } from './events.ts'

export interface LogOptions {
  readonly level: string
  readonly destination: DestinationStream
}

/** The root logger: JSON lines with an error serializer that lets only known-harmless fields through. */
export const createLog = ({ level, destination }: LogOptions): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
      // Without a text of its own a line would take the error's message, past the serializer.
      hooks: {
        logMethod(args, method) {
          method.apply(this, isBareError(args) ? [args[0], 'error'] : args)
        },
      },
    },
    { write: (line) => writeSafely(destination, line) },
  )

/** A full disk or a closed pipe must cost the line, not the work that it tells of. */
function writeSafely(destination: DestinationStream, line: string): void {
  try {
    destination.write(harmlessJson(line))
  } catch {
    // Nobody is left to be told.
  }
}

/** JSON that shows no character which could steer a terminal or hide text; it means the same. Line feeds stay. */
export const harmlessJson = (json: string): string =>
  json.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    Array.from({ length: sign.length }, (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )

const isBareError = ([first, text]: readonly unknown[]): boolean =>
  text === undefined && (first instanceof Error || (typeof first === 'object' && first !== null && 'err' in first))

/** The one place that writes events. */
export const createEmit =
  (log: Logger): Emit =>
  (level, name, detail) => {
    if (!log.isLevelEnabled(level)) return
    const facts: object = typeof detail === 'function' ? detail() : detail
    const fields: Record<string, unknown> = { event: name, ...facts }
    log[level](fields, name)
  }

interface ErrorFacts {
  readonly type: string
  readonly code?: string
  /** What Telegram refused a call with, and which one. */
  readonly status?: number
  readonly method?: string
  readonly message?: string
  readonly frames?: readonly string[]
  readonly cause?: ErrorFacts
}

/**
 * What a log may say of an error: class, code, stack frames, and the message only of our own errors. Foreign messages and
 * properties hold whole commands (@upstash/redis), payloads and tokens (grammY) or addresses with passwords.
 */
export function describeError(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return {
    type: /^[A-Za-z]{1,60}$/.test(error.name) ? error.name : 'Error',
    ...(/^[A-Z][A-Z0-9_]{0,39}$/.test(code) && { code }),
    ...refusedCall(error),
    ...(error instanceof AppError && { message: error.message }),
    frames: framesOf(error).slice(0, 10),
    ...(error.cause instanceof Error && { cause: describeError(error.cause) }),
  }
}

/** What Telegram refused a call with, of grammY's error for it. */
function refusedCall(error: Error): Pick<ErrorFacts, 'status' | 'method'> {
  if (!('error_code' in error && 'method' in error)) return {}
  const { error_code: status, method } = error
  if (typeof status !== 'number' || typeof method !== 'string' || !/^[A-Za-z]{1,40}$/.test(method)) return {}
  return { status, method }
}
