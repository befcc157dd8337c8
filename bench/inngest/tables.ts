import { Client } from 'pg'
import { fillPostgres } from '../../test/support/inngest-postgres.ts'
import { inngestTables } from '../../test/support/inngest-fixture.ts'
import { DAY_MS, HISTORY_DAYS, ROWS, RUN_MS, UNFINISHED_AT, UNFINISHED_EVERY, type InngestStore } from './store.ts'

/**
 * Fills an empty database with made-up runs: the tables and indexes of a real server, and rows copied from runs of one,
 * under new ids and times. Resolves with the ids of the runs, after PostgreSQL has gathered its statistics.
 */
export async function fillTables(url: string, store: InngestStore): Promise<readonly string[]> {
  await fillPostgres(url)
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query("SET synchronous_commit = off; SET TIME ZONE 'UTC'")
    await client.query(PATTERNS)
    await client.query(`TRUNCATE ${[...made.keys(), 'event_batches'].join(', ')}`)
    await client.query(runsOf(store))
    for (const [table, values] of made) await client.query(copies(table, values))
    const { rows } = await client.query<{ text: string }>('SELECT text FROM pattern.runs ORDER BY n')
    await client.query('DROP SCHEMA pattern CASCADE')
    await client.query('VACUUM ANALYZE')
    return rows.map(({ text }) => text)
  } finally {
    await client.end()
  }
}

/** The rows of one real run, which have numbers from 1 as `k`. */
const patternOf = (table: string, run: 'text' | 'bytes', rows: number) =>
  `CREATE TABLE pattern.${table} AS
    SELECT *, row_number() OVER () AS k FROM ${table} WHERE run_id = (SELECT ${run} FROM model) LIMIT ${rows}`

/** The patterns of all tables: of runs that did as much as the average one, and of two typical events. */
const PATTERNS = [
  'CREATE SCHEMA pattern',
  `CREATE FUNCTION pattern.base32(number bigint, digits int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(
      substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((number >> (5 * at)) & 31)::int + 1, 1), '' ORDER BY at DESC
    ) FROM generate_series(0, digits - 1) AS at
  $$`,
  `CREATE TEMP TABLE model AS SELECT one.run_id AS text, other.run_id AS bytes FROM (
    SELECT s.run_id FROM spans s GROUP BY s.run_id
    HAVING count(*) >= ${ROWS.spans} AND (SELECT count(*) FROM traces t WHERE t.run_id = s.run_id) >= ${ROWS.traces}
    ORDER BY count(*), s.run_id LIMIT 1
  ) one, (
    SELECT run_id FROM history JOIN function_finishes USING (run_id) GROUP BY run_id
    HAVING count(*) >= ${ROWS.history} ORDER BY count(*), run_id LIMIT 1
  ) other`,
  patternOf('spans', 'text', ROWS.spans),
  patternOf('traces', 'text', ROWS.traces),
  patternOf('trace_runs', 'text', 1),
  patternOf('history', 'bytes', ROWS.history),
  patternOf('function_finishes', 'bytes', 1),
  patternOf('function_runs', 'bytes', 1),
  `CREATE TABLE pattern.events AS
    (SELECT *, 1 AS k FROM events WHERE event_name NOT LIKE 'inngest/%' LIMIT 1)
    UNION ALL (SELECT *, 2 FROM events WHERE event_name = 'inngest/function.finished' LIMIT 1)`,
].join(';\n')

const MS = (column: string) => `to_timestamp(${column} / 1000.0)`

const hex = (value: string, digits: number) => `lpad(to_hex(${value}), ${digits}, '0')`

const bytes = (random: string) => `decode(${hex('ms', 12)} || ${hex(random, 10)} || ${hex('n', 10)}, 'hex')`

/** One row a run: number, times in epoch milliseconds, and ids as bytes and as text. */
function runsOf({ runs, asOfMs }: InngestStore): string {
  const firstMs = asOfMs - HISTORY_DAYS * DAY_MS
  const step = (HISTORY_DAYS * DAY_MS) / runs
  return `
    CREATE TABLE pattern.runs AS
    SELECT n, ms, ms + ${RUN_MS} AS finished_ms, ${bytes('one')} AS id, ${bytes('two')} AS event,
      pattern.base32(ms, 10) || pattern.base32(one, 8) || pattern.base32(n, 8) AS text,
      n % ${UNFINISHED_EVERY} <> ${UNFINISHED_AT} AS is_finished
    FROM (
      SELECT n::bigint, ${firstMs} + floor((n + 0.5) * ${step})::bigint AS ms,
        ('x' || substr(md5('one' || n), 1, 10))::bit(40)::bigint AS one, ('x' || substr(md5('two' || n), 1, 10))::bit(40)::bigint AS two
      FROM generate_series(0, ${runs - 1}) AS n
    ) AS numbers`
}

type Values = Readonly<Record<string, string>>

const UNIQUE = "substr(md5(p.k || 'span' || r.n), 1, 16)"
const TRACE = "md5('trace' || r.n)"

/** What differs from the pattern in each table, and, under `where`, of which runs there are rows. */
const made: ReadonlyMap<string, Values> = new Map<string, Values>([
  ['function_runs', { run_id: 'r.id', event_id: 'r.event', run_started_at: MS('r.ms') }],
  ['function_finishes', { run_id: 'r.id', created_at: MS('r.finished_ms'), where: 'r.is_finished' }],
  [
    'history',
    {
      id: 'r.id',
      run_id: 'r.id',
      event_id: 'r.event',
      created_at: MS('(r.ms + p.k)'),
      run_started_at: MS('r.ms'),
    },
  ],
  [
    'trace_runs',
    { run_id: 'r.text', queued_at: 'r.ms', started_at: 'r.ms', ended_at: 'r.finished_ms', trace_id: `${TRACE}::bytea` },
  ],
  [
    'traces',
    {
      // Of each 20 the first belongs to no run, as the roots of a real server.
      run_id: "CASE WHEN p.k = 1 AND r.n % 20 = 3 THEN repeat('0', 26) ELSE r.text END",
      timestamp: MS('r.ms'),
      timestamp_unix_ms: 'r.ms',
      trace_id: TRACE,
      span_id: UNIQUE,
    },
  ],
  [
    'spans',
    {
      run_id: 'r.text',
      trace_id: TRACE,
      span_id: UNIQUE,
      dynamic_span_id: "substr(md5((p.k / 3) || 'dynamic' || r.n), 1, 16)",
      start_time: MS('r.ms'),
      end_time: MS('r.finished_ms'),
    },
  ],
  [
    'events',
    {
      // The second of each run tells that it finished; nothing refers to it.
      internal_id: "CASE p.k WHEN 1 THEN r.event ELSE substring(r.event FROM 1 FOR 15) || '\\xff'::bytea END",
      received_at: MS('r.ms'),
      event_ts: MS('r.ms'),
      event_id: 'r.text || p.k',
    },
  ],
])

function copies(table: string, { where = 'true', ...values }: Values): string {
  const columns = (inngestTables()[table]?.columns ?? []).map(({ name }) => name)
  const names = columns.map((name) => `"${name}"`).join(', ')
  const chosen = columns.map((name) => values[name] ?? `p."${name}"`).join(', ')
  return `INSERT INTO ${table} (${names}) SELECT ${chosen} FROM pattern.runs r CROSS JOIN pattern.${table} p WHERE ${where} ORDER BY r.n, p.k`
}
