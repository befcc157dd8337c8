import Database from 'libsql'
import type { InngestTables } from './inngest-database.ts'
import {
  byTable,
  type Column,
  fixtureRows,
  inngestTables,
  type Table,
  type TableRow,
  type Value,
} from './inngest-fixture.ts'
import { ulidBytes, ulidText } from './inngest-ulid.ts'

/** What differs from one server with SQLite to another. */
export interface SqliteEncoding {
  /** The zone of the server as Go prints it, such as `+0200 CEST`. @default '+0000 UTC' */
  readonly zone?: string
  /** Whether times end as Go prints one that was read from the clock, such as ` m=+12.5`. @default false */
  readonly hasMonotonic?: boolean
  /** How `event_batches` holds its ULIDs. @default 'blob' */
  readonly batchIds?: 'blob' | 'text'
}

/** Puts the frozen server state into an SQLite file that is not there or empty. */
export async function fillSqlite(file: string, encoding: SqliteEncoding = {}): Promise<void> {
  const tables = openSqliteTables(file, encoding)
  await tables.create()
  await tables.insert(fixtureRows())
  await tables.close()
}

/** Opens a file, with 5 s of patience for another's lock. */
export function openSqliteTables(file: string, encoding: SqliteEncoding = {}): InngestTables {
  const database = new Database(file)
  database.exec('PRAGMA busy_timeout = 5000')
  return {
    create: async () => {
      database.exec(Object.entries(inngestTables()).flatMap(declarations).join(';\n'))
    },
    insert: async (rows) => {
      database.exec('BEGIN IMMEDIATE')
      for (const [name, group] of byTable(rows)) insertInto(database, { name, group, encoding })
      database.exec('COMMIT')
    },
    names: async () => {
      const rows = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[]
      return rows.map(({ name }) => name)
    },
    select: async (sql) => database.prepare(sql).all() as Record<string, unknown>[],
    run: async (sql) => {
      database.exec(sql)
    },
    close: async () => {
      database.close()
    },
  }
}

const declared: Readonly<Record<string, string>> = {
  bytea: 'BLOB',
  bigint: 'INT',
  integer: 'INT',
  smallint: 'INT',
  jsonb: 'JSON',
  'character varying': 'VARCHAR',
  'timestamp without time zone': 'TIMESTAMP',
  'timestamp with time zone': 'DATETIME',
}

/** ULIDs are declared as text in these, whatever they hold. */
const declaredAsText = new Set(['events', 'function_runs', 'worker_connections'])

const declaration = (table: string, { type }: Column) =>
  type === 'bytea' && declaredAsText.has(table)
    ? 'CHAR(26)'
    : (declared[type] ?? type.replace('character varying', 'VARCHAR').replace('character', 'CHAR').toUpperCase())

function declarations([name, { columns, indexes }]: readonly [string, Table]): string[] {
  const lines = columns.map((column) => {
    const type = declaration(name, column)
    return `"${column.name}" ${type}${column.nullable ? '' : ' NOT NULL'}`
  })
  for (const { columns: key, primary } of indexes) if (primary) lines.push(`PRIMARY KEY (${key.join(', ')})`)
  const further = indexes.filter(({ primary, columns: key }) => !primary && isIndexed(name, key.join(', ')))
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (${lines.join(', ')})`,
    ...further.map(({ columns: key }, at) => `CREATE INDEX IF NOT EXISTS ${name}_${at} ON ${name} (${key.join(', ')})`),
  ]
}

/** A server with SQLite has few indexes. The key of its events is unique, but the frozen server state holds one twice. */
const isIndexed = (table: string, key: string) =>
  (table === 'spans' && key.startsWith('run_id')) || (table === 'events' && key === 'internal_id')

interface Group {
  readonly name: string
  readonly group: readonly TableRow[]
  readonly encoding: SqliteEncoding
}

function insertInto(database: Database.Database, { name, group, encoding }: Group): void {
  const columns = inngestTables()[name]?.columns ?? []
  const marks = columns.map(() => '?').join(', ')
  const names = columns.map((column) => `"${column.name}"`).join(', ')
  const statement = database.prepare(`INSERT INTO ${name} (${names}) VALUES (${marks})`)
  for (const { row } of group) {
    statement.run(columns.map((column) => encode(row[column.name] ?? null, { table: name, column, encoding })))
  }
}

interface Place {
  readonly table: string
  readonly column: Column
  readonly encoding: SqliteEncoding
}

function encode(value: Value, { table, column, encoding }: Place): string | number | Buffer | null {
  if (value === null) return null
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'object') {
    const bytes = Buffer.from(value.hex, 'hex')
    return table === 'worker_connections' && bytes.length === 16 ? ulidText(bytes) : bytes
  }
  if (column.type === 'bigint') return Number(value)
  if (column.type.startsWith('timestamp')) return goTime(String(value), encoding)
  const isUlid = column.type === 'character(26)' && table !== 'queue_snapshot_chunks'
  const isText = table === 'event_batches' && encoding.batchIds === 'text'
  return isUlid && !isText ? ulidBytes(String(value)) : value
}

/** `2026-11-20T18:15:03.250Z` as `2026-11-20 20:15:03.25 +0200 CEST`. */
export function goTime(iso: string, { zone = '+0000 UTC', hasMonotonic = false }: SqliteEncoding = {}): string {
  const [, second = '', fraction = ''] = /^(.{19})(?:\.(\d+))?Z$/.exec(iso) ?? []
  const [, sign = '', hours = '', minutes = ''] = /^([+-])(\d\d)(\d\d)/.exec(zone) ?? []
  const offsetMinutes = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes))
  const local = new Date(Date.parse(`${second}Z`) + offsetMinutes * 60_000).toISOString()
  const digits = fraction.replace(/0+$/, '')
  const time = `${local.slice(0, 10)} ${local.slice(11, 19)}${digits === '' ? '' : `.${digits}`} ${zone}`
  return hasMonotonic ? `${time} m=+12.345678901` : time
}
