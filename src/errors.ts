/** An error with a stable code, a message that says what to do, and never a secret or a stored value. */
export abstract class AppError<Code extends string = string> extends Error {
  readonly code: Code

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The environment is not usable. `problems` names every variable and its rule, never a value. */
export class ConfigError extends AppError<'BAD_CONFIGURATION'> {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super('BAD_CONFIGURATION', `The configuration is not usable:\n${problems.map((one) => `  ${one}`).join('\n')}`)
    this.problems = problems
  }
}

/** What somebody handed in (an argument, a file, an order) breaks a rule. Nothing was changed. */
export class InputError extends AppError<'BAD_INPUT'> {
  override readonly name = 'InputError'

  constructor(message: string, options?: ErrorOptions) {
    super('BAD_INPUT', message, options)
  }
}

/** What was asked for cannot be begun yet; the same again later can. */
export class NotReadyError extends AppError {
  override readonly name = 'NotReadyError'

  constructor(options?: ErrorOptions) {
    super('NOT_READY', 'Telegram has not told yet who we are.', options)
  }
}

/** Whoever started the work asked it to stop. What was done so far stays done. */
export class InterruptedError extends AppError<'INTERRUPTED'> {
  override readonly name = 'InterruptedError'

  constructor(message = 'Interrupted.') {
    super('INTERRUPTED', message)
  }
}

/**
 * What went wrong between Orderly and Redis, told apart by what a caller does about it:
 *
 * - `REDIS_UNREACHABLE`: no answer. The request may or may not have been carried out.
 * - `REDIS_REFUSED`: the server said no (credentials, permission, an unknown command). Nothing was done.
 * - `REDIS_LIMIT`: the provider's monthly command limit is reached. Stop; a retry is refused too.
 * - `REDIS_FULL`: no room for writes. Reads and deletions still work.
 * - `REDIS_WRONG_TYPE`: the key holds another type than the command needs.
 */
export type RedisErrorCode = 'REDIS_UNREACHABLE' | 'REDIS_REFUSED' | 'REDIS_LIMIT' | 'REDIS_FULL' | 'REDIS_WRONG_TYPE'

/** A failure of Redis. Its message and cause never hold a command's arguments, a stored value or a credential. */
export class RedisError extends AppError<RedisErrorCode> {
  override readonly name = 'RedisError'
}

/** Whether an error is a Redis failure, of the given kind if one is given. */
export const isRedisError = (error: unknown, code?: RedisErrorCode): error is RedisError =>
  error instanceof RedisError && (code === undefined || error.code === code)

/** For what goes on without Redis: undefined in place of its failure. @throws whatever else it is handed */
export function unlessRedis(error: unknown): undefined {
  if (!isRedisError(error)) throw error
  return undefined
}

/**
 * What went wrong between Orderly and a database, told apart by what a caller does about it:
 *
 * - `DATABASE_UNREACHABLE`: no connection, or it broke. An open transaction was rolled back.
 * - `DATABASE_REFUSED`: the server said no (credentials, permission, a statement it does not know). Nothing was done.
 * - `DATABASE_BUSY`: somebody else held a lock for too long. Nothing was done; later it can work.
 * - `DATABASE_UNKNOWN`: it is not the database that was expected.
 * - `DATABASE_DRIVER`: the driver that its address needs is not installed.
 */
export type DatabaseErrorCode =
  'DATABASE_UNREACHABLE' | 'DATABASE_REFUSED' | 'DATABASE_BUSY' | 'DATABASE_UNKNOWN' | 'DATABASE_DRIVER'

/** A failure of a database. Its message and cause never hold a statement's values, a stored value or a credential. */
export class DatabaseError extends AppError<DatabaseErrorCode> {
  override readonly name = 'DatabaseError'
}

/** The stack's frames only. What stands before the end of the message is left out, for a message may look like a frame. */
export function framesOf({ stack = '', message }: Error): readonly string[] {
  const start = stack.indexOf(message)
  const frames = start === -1 ? '' : stack.slice(start + message.length)
  return frames
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
}
