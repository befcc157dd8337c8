import type { App } from '../app.ts'
import type { InngestConfig } from '../config.ts'
import { ConfigError, InterruptedError } from '../errors.ts'
import type { Database } from '../postgres/queryable.ts'
import type { Account } from '../redis/meter.ts'
import { openInngestDatabase, type InngestDatabase } from '../sweeps/inngest/database.ts'
import type { Io } from './io.ts'
import { withApp } from './open-app.ts'
import { withPatience } from './patience.ts'
import { createProgress, type Progress } from './progress.ts'
import { failed, type CommandResult } from './result.ts'

/** What a look at an Inngest works with. */
export interface InngestParts {
  readonly app: App
  readonly config: InngestConfig
  /** Of the Redis of Inngest; undefined where none is configured. */
  readonly account: Account | undefined
  readonly signal: AbortSignal
  readonly progress: Progress
}

/**
 * Runs a command that looks at an Inngest, tells what it spent even when it fails, and closes everything.
 *
 * @throws ConfigError also without `INNGEST_DATABASE_URL`.
 */
export async function withInngest(
  io: Io,
  work: (parts: InngestParts) => Promise<CommandResult>,
): Promise<CommandResult> {
  return await withApp(io, async (app) => {
    const { signal } = io
    const { inngest: config } = app.config
    if (config === undefined) throw noInngest()
    const account = app.stores.find(({ name }) => name === 'inngest')?.meter.open('redis-check')
    const progress = createProgress(io, app.clock)
    const result = await work({ app, config, account, signal, progress }).catch(failed)
    progress.clear()
    return account === undefined ? result : { ...result, cost: account.cost() }
  })
}

/** What is wrong where no Inngest is configured. */
export const noInngest = () =>
  new ConfigError(['INNGEST_DATABASE_URL is required: it names the database of the Inngest server.'])

/**
 * Opens the database for one use. After the signal it does not keep a person waiting.
 *
 * @throws DatabaseError, InterruptedError
 */
export async function withDatabase<Result>(
  { config, signal }: InngestParts,
  use: (database: InngestDatabase) => Promise<Result>,
): Promise<Result> {
  const opening = openInngestDatabase(config.database)
  const opened = withPatience(opening, { signal, message: UNANSWERED })
  const database = await opened.catch((error: unknown) => {
    void opening.then(
      ({ sql }) => sql.close(),
      () => undefined,
    )
    throw error
  })
  try {
    return await use({ ...database, sql: interruptibleSql(database.sql, signal) })
  } finally {
    await database.sql.close()
  }
}

const UNANSWERED = 'Interrupted; the database had not answered yet.'

const interruptibleSql = (sql: Database, signal: AbortSignal): Database => ({
  ...sql,
  query: async (text, values) => {
    if (signal.aborted) throw new InterruptedError()
    return await withPatience(sql.query(text, values), { signal, message: UNANSWERED })
  },
})
