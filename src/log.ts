import { pino, type DestinationStream, type Logger } from 'pino'
import type { Emit } from './events.ts'

export interface LogOptions {
  readonly level: string
  readonly destination: DestinationStream
}

/** The root logger: JSON lines with an error serializer that lets only known-harmless fields through. */
export const createLog = ({ level, destination }: LogOptions): Logger =>
  pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } },
    destination,
  )

/** The one place that writes events. */
export const createEmit =
  (log: Logger): Emit =>
  (level, name, detail) => {
    const fields: Record<string, unknown> = { event: name, ...detail }
    log[level](fields, name)
  }

interface ErrorFacts {
  readonly type: string
  readonly code?: string
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
  const isOwn = error.name === 'RedisError' || error.name === 'ConfigError' || error.name === 'InputError'
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return {
    type: error.name,
    ...('code' in error && typeof error.code === 'string' && { code: error.code.slice(0, 40) }),
    ...(isOwn && { message: error.message }),
    frames: frames.slice(0, 10).map((line) => line.trim()),
    ...(error.cause instanceof Error && { cause: describeError(error.cause) }),
  }
}
