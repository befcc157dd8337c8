import { Client } from 'pg'
import { hasPostgres, startPostgresServer } from '../../test/support/postgres-server.ts'
import { startRedisServer } from '../../test/support/redis-server.ts'
import { fillState } from './state.ts'
import { endOfStore, type InngestStore } from './store.ts'
import { fillTables } from './tables.ts'

export { hasPostgres }

/** What PostgreSQL counted of the statements of the sweep's user. */
export interface StatementFigures {
  readonly statements: number
  readonly slowestMs: number
  /** The slowest, VACUUM aside, cut to a line. */
  readonly slowest: string
}

/** The two stores of a made-up Inngest server, each on a server of its own. */
export interface InngestStage {
  /** With a user who does nothing but sweep. */
  readonly databaseUrl: string
  /** With another user, for whoever works beside the sweep. */
  readonly besideUrl: string
  readonly redisUrl: string
  /** The made-up runs, the oldest first. */
  readonly runIds: readonly string[]
  /** Forgets the statistics of both servers. */
  resetStats(): Promise<void>
  statements(): Promise<StatementFigures>
  /** Calls of each command since then, by upper-case name, free ones included. */
  commands(): Promise<Readonly<Record<string, number>>>
  /** Made-up runs that still have a row of their own. */
  countRuns(): Promise<number>
  stop(): Promise<void>
}

/** Names of its own, so that the figures of the one are not mixed with those of the other. */
const SWEEPER = 'sweeper'

/** Starts both servers on the loopback interface and fills them. */
export async function openInngestStage(store: InngestStore): Promise<InngestStage> {
  const postgres = await startPostgresServer({
    settings: { shared_preload_libraries: 'pg_stat_statements', max_wal_size: '4GB' },
  })
  const redis = await startRedisServer()
  const runIds = await fillTables(postgres.url, store)
  await fillState(redis.url, store, runIds)
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  await client.query(`CREATE EXTENSION pg_stat_statements; CREATE ROLE ${SWEEPER} LOGIN PASSWORD '${SWEEPER}'`)
  await ownTables(client)
  const one = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows[0] ?? {}
  return {
    databaseUrl: userOf(postgres.url),
    besideUrl: postgres.url,
    redisUrl: redis.url,
    runIds,
    resetStats: async () => {
      await client.query('SELECT pg_stat_statements_reset()')
      await redis.resetStats()
    },
    statements: async () => {
      const { statements, slowestMs, slowest } = await one(STATEMENTS)
      return { statements: Number(statements), slowestMs: Number(slowestMs), slowest: String(slowest) }
    },
    commands: redis.stats,
    countRuns: async () => {
      const { runs } = await one(`SELECT count(*) AS runs FROM trace_runs WHERE run_id < '${endOfStore(store)}'`)
      return Number(runs)
    },
    stop: async () => {
      await client.end()
      await redis.stop()
      await postgres.stop()
    },
  }
}

/** Only the owner of a table may vacuum it. */
async function ownTables(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
  )
  for (const { name } of rows) await client.query(`ALTER TABLE ${name} OWNER TO ${SWEEPER}`)
}

function userOf(url: string): string {
  const address = new URL(url)
  address.username = SWEEPER
  address.password = SWEEPER
  return address.href
}

const STATEMENTS = `
  SELECT sum(calls) OVER () AS statements, max_exec_time AS "slowestMs",
    regexp_replace(left(query, 60), '\\s+', ' ', 'g') AS slowest
  FROM pg_stat_statements
  WHERE userid = '${SWEEPER}'::regrole
  ORDER BY query LIKE 'VACUUM%', max_exec_time DESC LIMIT 1`
