import { Client } from 'pg'
import { hasPostgres, startPostgresServer } from '../../test/support/postgres-server.ts'
import { dueSql, fillSql, type AuditStore } from './store.ts'

export { hasPostgres }

/** What PostgreSQL counted of the statements of the sweep's user. */
export interface StatementFigures {
  readonly statements: number
  /** The longest that one held locks of rows: each deletes in a transaction of its own. */
  readonly longestLockMs: number
  /** The slowest that only reads, for which nobody waits. */
  readonly slowestReadMs: number
}

/** A filled audit database that is copied for each way. */
export interface AuditStage {
  /** Rows that are due. */
  readonly due: { readonly alerts: number; readonly errors: number }
  /** Makes a copy of the filled database and forgets the statistics. */
  copy(): Promise<AuditCopy>
  stop(): Promise<void>
}

export interface AuditCopy {
  /** With a user who does nothing but delete. */
  readonly url: string
  statements(): Promise<StatementFigures>
  /** Rows that are still due. */
  left(): Promise<AuditStage['due']>
}

const SWEEPER = 'sweeper'

/** Starts a server on the loopback interface and fills a database. */
export async function openAuditStage(store: AuditStore): Promise<AuditStage> {
  const postgres = await startPostgresServer({
    settings: { shared_preload_libraries: 'pg_stat_statements', max_wal_size: '4GB' },
  })
  const original = await postgres.createDatabase()
  await run(postgres.url, `CREATE EXTENSION pg_stat_statements; CREATE ROLE ${SWEEPER} LOGIN PASSWORD '${SWEEPER}'`)
  await run(original, fillSql(store))
  await run(original, `GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${SWEEPER}`)
  await run(original, 'VACUUM ANALYZE')
  const dueIn = async (url: string) => {
    const [row] = await run(url, dueSql(store))
    return { alerts: Number(row?.['alerts']), errors: Number(row?.['errors']) }
  }
  return {
    due: await dueIn(original),
    copy: async () => {
      const url = await postgres.createDatabase({ from: original })
      await run(postgres.url, 'CHECKPOINT')
      await run(postgres.url, 'SELECT pg_stat_statements_reset()')
      return {
        url: userOf(url),
        statements: async () => {
          const [row] = await run(postgres.url, STATEMENTS)
          const figure = (name: keyof StatementFigures) => Number(row?.[name])
          return {
            statements: figure('statements'),
            longestLockMs: figure('longestLockMs'),
            slowestReadMs: figure('slowestReadMs'),
          }
        },
        left: () => dueIn(url),
      }
    },
    stop: postgres.stop,
  }
}

async function run(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

function userOf(url: string): string {
  const address = new URL(url)
  address.username = SWEEPER
  address.password = SWEEPER
  return address.href
}

const STATEMENTS = `
  SELECT sum(calls) AS statements,
    coalesce(max(max_exec_time) FILTER (WHERE query LIKE '%DELETE%'), 0) AS "longestLockMs",
    coalesce(max(max_exec_time) FILTER (WHERE query NOT LIKE '%DELETE%'), 0) AS "slowestReadMs"
  FROM pg_stat_statements WHERE userid = '${SWEEPER}'::regrole`
