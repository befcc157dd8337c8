import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from '../../errors.ts'
import type { Database } from '../../postgres/queryable.ts'

/** Opens a session with a PostgreSQL server. Throws DatabaseError. */
export type OpenDatabase = (url: string) => Promise<Database>

export interface SessionOptions {
  readonly url: string
  readonly open: OpenDatabase
  /** Whether the server is to refuse every change. */
  readonly isReadOnly: boolean
  /** Milliseconds that a statement may take. */
  readonly statementMs: number
  /** Milliseconds before each further attempt after a connection failed. */
  readonly pausesMs: readonly number[]
  /** Asked each second, also in the middle of a statement, which then has five more; throws when the run must not go on. */
  readonly goOn: () => Promise<void>
}

/** A session that is opened when it is needed, and anew when its connection was lost. */
export interface Session {
  /**
   * Does the work, and all of it again on a new connection when the connection failed, after growing pauses. The work must
   * be fit to be repeated from wherever it broke.
   *
   * @throws DatabaseError `DATABASE_UNREACHABLE` when the last attempt failed too.
   */
  attempt<Result>(work: (sql: Database) => Promise<Result>, options?: AttemptOptions): Promise<Result>
  /** Ends the session, also in the middle of a statement, which then fails. A later attempt opens a new one. */
  close(): Promise<void>
}

export interface AttemptOptions {
  /** Aborted when there is no time for further attempts. */
  readonly signal?: AbortSignal
  /** Told the number of each attempt, from 1 on. */
  readonly onAttempt?: (attempt: number) => void
}

/** Pauses between attempts. */
export const PAUSES_MS: readonly number[] = [1_000, 3_000, 9_000]

/** Opens a connection with the driver, which nobody loads before. */
export const openPostgres: OpenDatabase = async (url) => {
  const { connectPostgres } = await import('../../postgres/connect.ts')
  return await connectPostgres(url)
}

export function createSession(options: SessionOptions): Session {
  const { pausesMs, goOn } = options
  let current: Database | undefined
  const close = async () => {
    const closing = current
    current = undefined
    await closing?.close()
  }
  /**
   * Cuts a statement that does not end by itself when the run must not go on: a database that went silent never ends it, but
   * what a healthy one deletes is counted.
   */
  const watched = async <Result>(work: (sql: Database) => Promise<Result>): Promise<Result> => {
    const stops: unknown[] = []
    let cut: NodeJS.Timeout | undefined
    const look = async () => {
      try {
        await goOn()
      } catch (error) {
        if (stops.push(error) === 1) cut = setTimeout(() => void close(), CUT_AFTER_MS)
      }
    }
    const timer = setInterval(() => void look(), LOOK_EVERY_MS)
    try {
      current ??= await begin(options)
      return await work(current)
    } catch (error) {
      throw stops[0] ?? error
    } finally {
      clearInterval(timer)
      clearTimeout(cut)
    }
  }
  return {
    close,
    attempt: async (work, { signal, onAttempt = () => {} } = {}) => {
      for (let attempt = 1; ; attempt++) {
        onAttempt(attempt)
        try {
          return await watched(work)
        } catch (error) {
          if (!isLost(error)) throw error
          await close()
          const pauseMs = pausesMs[attempt - 1]
          if (pauseMs === undefined || signal?.aborted === true) throw error
          await pause(pauseMs, { goOn, signal })
        }
      }
    },
  }
}

/** Whether a failure is one of the connection, which a new one may heal. */
export const isLost = (error: unknown): error is DatabaseError =>
  error instanceof DatabaseError && error.code === 'DATABASE_UNREACHABLE'

async function begin({ url, open, isReadOnly, statementMs }: SessionOptions): Promise<Database> {
  const sql = limited(await open(url), statementMs + PATIENCE_MS)
  try {
    await sql.query(SETTINGS, [isReadOnly ? 'on' : 'off', String(statementMs)])
    return sql
  } catch (error) {
    await sql.close()
    throw error
  }
}

/** Milliseconds after the server should have ended a statement by itself. */
const PATIENCE_MS = 5_000

/** The same session, which is closed when a statement has no answer for too long. */
const limited = (sql: Database, ms: number): Database => ({
  ...sql,
  query: async (text, values) => {
    const timer = setTimeout(() => void sql.close(), ms)
    try {
      return await sql.query(text, values)
    } finally {
      clearTimeout(timer)
    }
  },
})

/**
 * Rows that a policy hides from our user make a statement fail: an organization that we do not see has not gone. Times are
 * written and read in one way, and a statement sees what others have committed before it.
 */
const SETTINGS = `
  SELECT set_config('row_security', 'off', false), set_config('TimeZone', 'UTC', false),
    set_config('DateStyle', 'ISO', false), set_config('default_transaction_isolation', 'read committed', false),
    set_config('default_transaction_read_only', $1, false), set_config('statement_timeout', $2, false)`

/** Milliseconds between two looks whether to go on. */
const LOOK_EVERY_MS = 1_000

/** Milliseconds that a statement may still take when the run must not go on. */
const CUT_AFTER_MS = 5_000

interface Pause extends Pick<SessionOptions, 'goOn'> {
  readonly signal: AbortSignal | undefined
}

async function pause(ms: number, { goOn, signal }: Pause): Promise<void> {
  for (let left = ms; left > 0; left -= LOOK_EVERY_MS) {
    await sleep(Math.min(left, LOOK_EVERY_MS))
    if (signal?.aborted === true) return
    await goOn()
  }
}
