import { PGlite } from '@electric-sql/pglite'
import { databaseError } from '../../src/postgres/failures.ts'
import type { Answer, Database } from '../../src/postgres/queryable.ts'

/** A PostgreSQL within this process, for machines that have none. It has one session, which ours take turns in. */
export interface LitePostgres {
  /** Opens one more session. */
  open(): Promise<Database>
  query(sql: string, values?: readonly unknown[]): Promise<Answer>
  stop(): Promise<void>
}

export async function startPglite(): Promise<LitePostgres> {
  const lite = await PGlite.create()
  let turn: Promise<unknown> = Promise.resolve()
  let holder: object | undefined

  const run = async (sql: string, values: readonly unknown[]): Promise<Answer> => {
    try {
      if (values.length === 0) {
        const results = await lite.exec(sql)
        const { rows = [], affectedRows } = results.at(-1) ?? {}
        return { rows, count: affectedRows ?? rows.length }
      }
      const { rows, affectedRows } = await lite.query<Record<string, unknown>>(sql, [...values])
      return { rows, count: affectedRows ?? rows.length }
    } catch (error) {
      throw databaseError(error)
    }
  }
  const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return await mine
  }
  const open = async (): Promise<Database> => {
    const self = {}
    /** The statement that made the settings of this session. */
    let settings: readonly [string, readonly unknown[]] | undefined
    const query = (sql: string, values: readonly unknown[] = []) =>
      inTurn(async () => {
        if (holder !== self) await run('RESET ALL', [])
        if (holder !== self && settings !== undefined) await run(...settings)
        holder = self
        if (sql.includes('set_config')) settings = [sql, values]
        return await run(sql, values)
      })
    return {
      kind: 'postgres',
      query,
      transaction: () => Promise.reject(new Error('Sessions that take turns have no transactions.')),
      close: async () => {},
    }
  }
  const own = await open()
  return { open, query: own.query, stop: () => lite.close() }
}
