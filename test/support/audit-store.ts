import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { connectPostgres } from '../../src/postgres/connect.ts'
import type { Answer } from '../../src/postgres/queryable.ts'
import type { OpenDatabase } from '../../src/sweeps/audit/session.ts'
import { startPglite } from './pglite.ts'
import { hasPostgres, startPostgresServer } from './postgres-server.ts'

/** An audit database of a test. */
export interface AuditStore {
  readonly url: string
  /** Opens a session as the product does it. */
  readonly open: OpenDatabase
  /** Asks, over a session of the test's own; several statements where there are no values. */
  query(sql: string, values?: readonly unknown[]): Promise<Answer>
  close(): Promise<void>
}

/** One that somebody else closes. */
export type OpenAuditStore = Omit<AuditStore, 'close'>

export interface AuditStores {
  /** An empty database with the default tables, or with other ones. */
  create(schema?: string): Promise<AuditStore>
  stop(): Promise<void>
}

/** The default tables, as small as the sweeps need them. */
export const AUDIT_SCHEMA = `
  CREATE TABLE organization (id text PRIMARY KEY, retention_days integer);
  CREATE TABLE alerts (id bigint PRIMARY KEY, organization_id text, resolved boolean, resolved_at timestamptz);
  CREATE INDEX ON alerts (organization_id, resolved_at) WHERE resolved;
  CREATE TABLE error_log (id bigint PRIMARY KEY, "timestamp" timestamptz);
  CREATE INDEX ON error_log ("timestamp");
  CREATE TABLE error_aggregation (error_hash text PRIMARY KEY, last_occurrence timestamptz);
  CREATE INDEX ON error_aggregation (last_occurrence)`

/** What each test of a suite finds as an empty database of its own. To be called inside the suite or file. */
export function auditStoreOfEachTest(): OpenAuditStore {
  let stores: AuditStores
  let store: AuditStore
  beforeAll(async () => {
    stores = await startAuditStores()
  }, 60_000)
  beforeEach(async () => {
    store = await stores.create()
  }, 60_000)
  afterEach(async () => await store.close())
  afterAll(async () => await stores.stop())
  return {
    get url() {
      return store.url
    },
    open: (...given) => store.open(...given),
    query: (...given) => store.query(...given),
  }
}

/** Opens empty databases for the tests of a suite, each for one use. To be called inside the suite or file. */
export function auditStoresOfSuite() {
  let stores: AuditStores
  beforeAll(async () => {
    stores = await startAuditStores()
  }, 60_000)
  afterAll(async () => await stores.stop())
  return async (schema: string, use: (store: AuditStore) => Promise<void>): Promise<void> => {
    const store = await stores.create(schema)
    try {
      await use(store)
    } finally {
      await store.close()
    }
  }
}

/** Starts a PostgreSQL server, or has databases within this process where none is installed. */
export const startAuditStores = (): Promise<AuditStores> => (hasPostgres ? onServer() : inProcess())

async function onServer(): Promise<AuditStores> {
  const server = await startPostgresServer()
  return {
    create: async (schema = AUDIT_SCHEMA) => await openStore(await server.createDatabase(), schema),
    stop: () => server.stop(),
  }
}

async function openStore(url: string, schema: string): Promise<AuditStore> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  await client.query(schema)
  return {
    url,
    open: connectPostgres,
    query: async (sql, values = []) => {
      const answer = await client.query<Record<string, unknown>>(sql, [...values])
      return { rows: answer.rows, count: answer.rowCount ?? 0 }
    },
    close: () => client.end(),
  }
}

/** One database for all, one after another, for each start of PostgreSQL within a process takes seconds. */
async function inProcess(): Promise<AuditStores> {
  const { open, query, stop } = await startPglite()
  return {
    create: async (schema = AUDIT_SCHEMA) => {
      await query(EMPTIED)
      await query(schema)
      return { url: 'postgresql://within-this-process', open, query, close: async () => {} }
    },
    stop,
  }
}

/** Drops everything that tests have made. */
const EMPTIED = `
  DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
      EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
  END $$;
  DISCARD TEMP; CREATE SCHEMA public`
