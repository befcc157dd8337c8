import { Client } from 'pg'
import { databaseError } from './failures.ts'
import type { Answer, Database } from './queryable.ts'

/** Milliseconds that connecting may take. */
const CONNECT_MS = 10_000

/**
 * Waits for nobody's row locks for long, reads and writes times as UTC, and lets the server end a transaction whose client
 * went silent. What the role has set for others does not count: a sweep reads whole tables, in short transactions.
 */
const SESSION = `
  SET TIME ZONE 'UTC'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s';
  SET statement_timeout = 0; SET default_transaction_isolation = 'read committed'`

/** A server that can, from version 14 on, ends the statement of a client that has gone, and with it the session's locks. */
const WATCH_CLIENT = `
  SELECT set_config(name, '10s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'`

/**
 * Opens one session with a PostgreSQL server. Needs a real session: a pooler in transaction mode breaks it.
 *
 * @throws DatabaseError
 */
export async function connectPostgres(url: string): Promise<Database> {
  const client = createClient(url)
  // Without a listener a lost connection would end the process; the next query tells of it.
  client.on('error', () => undefined)
  const query = async (sql: string, values: readonly unknown[] = []): Promise<Answer> => {
    try {
      const { rows, rowCount } = await client.query<Record<string, unknown>>(sql, [...values])
      return { rows, count: rowCount ?? 0 }
    } catch (error) {
      throw databaseError(error)
    }
  }
  try {
    await client.connect()
    await client.query(SESSION)
    await client.query(WATCH_CLIENT)
  } catch (error) {
    void end(client)
    throw databaseError(error)
  }
  return {
    kind: 'postgres',
    query,
    transaction: async (work) => {
      await query('BEGIN')
      try {
        const result = await work()
        await query('COMMIT')
        return result
      } catch (error) {
        // A lost connection has rolled back already.
        await query('ROLLBACK').catch(() => undefined)
        throw error
      }
    },
    close: () => end(client),
  }
}

/** Milliseconds that a server may take to say goodbye. */
const GOODBYE_MS = 2_000

/** Ends a session; one whose server says nothing any more is cut. */
async function end(client: Client): Promise<void> {
  const cut = setTimeout(() => client.connection.stream.destroy(), GOODBYE_MS)
  await client.end().catch(() => undefined)
  clearTimeout(cut)
}

/** The driver throws at an address that it cannot read, with the address in its message. */
function createClient(url: string): Client {
  try {
    return new Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      application_name: 'orderly',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    })
  } catch (error) {
    throw databaseError(error)
  }
}
