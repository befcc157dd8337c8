import { existsSync } from 'node:fs'
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises'
import type Libsql from 'libsql'
import { systemClock } from '../clock.ts'
import { DatabaseError } from '../errors.ts'
import { databaseError } from './failures.ts'
import type { Answer, Database, Row } from './queryable.ts'

/** Milliseconds that the driver itself waits for a lock: it holds up the whole process meanwhile. */
const DRIVER_WAIT_MS = 100

/** How often a locked database is asked again, and the milliseconds in between: more than 10 s in all. */
const TRIES = 50
const PAUSE_MS = 150

/**
 * How many times as long as a lock was held it is left to others, and the most milliseconds: a server that does not wait for
 * locks loses what it wanted to write meanwhile.
 */
const REST_FACTOR = 4
const MOST_REST_MS = 2_000

/**
 * Opens a SQLite file that another program writes, too: each statement waits up to 10 s for its locks, and a transaction
 * takes the write lock at once. The driver works in this thread, so callers keep statements short, one at a time.
 *
 * @throws DatabaseError
 */
export async function connectSqlite(file: string): Promise<Database> {
  if (!existsSync(file))
    throw new DatabaseError('DATABASE_UNREACHABLE', 'There is no file where INNGEST_DATABASE_URL points to.')
  const Driver = await loadDriver()
  const sqlite = open(Driver, file)
  let isInTransaction = false

  const locked = async <Result>(locks: readonly string[], work: () => Result | Promise<Result>): Promise<Result> => {
    const startedAtMs = systemClock()
    try {
      return await lockedOnce(locks, work)
    } finally {
      await sleep(Math.min(REST_FACTOR * (systemClock() - startedAtMs), MOST_REST_MS))
    }
  }

  const lockedOnce = async <Result>(
    locks: readonly string[],
    work: () => Result | Promise<Result>,
  ): Promise<Result> => {
    try {
      for (const sql of locks) await persist(() => sqlite.exec(sql))
      const result = await work()
      await persist(() => sqlite.exec('COMMIT'))
      return result
    } catch (error) {
      if (sqlite.inTransaction) await persist(() => sqlite.exec('ROLLBACK')).catch(() => undefined)
      throw error
    }
  }

  return {
    kind: 'sqlite',
    query: async (sql, values = []) => {
      await breathe()
      const work = () => translated(() => run(sqlite, sql, values))
      return isInTransaction ? work() : await locked(CHANGES.test(sql) ? WRITING : READING, work)
    },
    transaction: async (work) => {
      isInTransaction = true
      try {
        return await locked(WRITING, work)
      } finally {
        isInTransaction = false
      }
    },
    close: async () => {
      sqlite.close()
    },
  }
}

/**
 * What takes the locks for a statement before it is prepared. The driver never resets a statement that found the file
 * locked: no later transaction could be committed, and the file would stay locked after the end. `exec` has no such trouble.
 */
const WRITING = ['BEGIN IMMEDIATE']
const READING = ['BEGIN', 'SELECT 1 FROM sqlite_master LIMIT 1']

/** Statements that change the file itself; temporary tables are in another one. */
const CHANGES = /^\s*(?:DELETE|UPDATE)\b/

function run(sqlite: InstanceType<Driver>, sql: string, values: readonly unknown[]): Answer {
  const statement = sqlite.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'))
  if (!statement.reader) return { rows: [], count: statement.run(...values).changes }
  const rows = statement.all(...values).map(plain)
  return { rows, count: rows.length }
}

/** Tries again for a while where the file is locked. */
async function persist(work: () => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return translated(work)
    } catch (error) {
      const isBusy = error instanceof DatabaseError && error.code === 'DATABASE_BUSY'
      if (!isBusy || tries === TRIES) throw error
      await sleep(PAUSE_MS)
    }
  }
}

function translated<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw databaseError(error)
  }
}

type Driver = typeof Libsql

/** An optional package: nobody who keeps no SQLite file needs its 20 MB. */
async function loadDriver(): Promise<Driver> {
  try {
    const { default: driver } = await import('libsql')
    return driver
  } catch (error) {
    throw new DatabaseError('DATABASE_DRIVER', 'A sqlite: address needs the package libsql: npm install libsql', {
      cause: error,
    })
  }
}

function open(Driver: Driver, file: string) {
  try {
    return new Driver(file, { timeout: DRIVER_WAIT_MS })
  } catch (error) {
    throw databaseError(error)
  }
}

/** The driver hands out bytes as an `ArrayBuffer`, and adds how long it took. */
const plain = (row: unknown): Row =>
  Object.fromEntries(
    Object.entries(row ?? {})
      .filter(([name]) => name !== '_metadata')
      .map(([name, value]) => [name, value instanceof ArrayBuffer ? new Uint8Array(value) : value]),
  )
