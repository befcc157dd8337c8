import { Client } from 'pg'
import type { InngestTables } from './inngest-database.ts'
import { byTable, fixtureRows, inngestTables, type Table, type TableRow, type Value } from './inngest-fixture.ts'

/** Puts the frozen server state into an empty database. */
export async function fillPostgres(url: string): Promise<void> {
  const tables = await openPostgresTables(url)
  await tables.create()
  await tables.insert(fixtureRows())
  await tables.run('ANALYZE')
  await tables.close()
}

/** Opens a database with a connection of its own. */
export async function openPostgresTables(url: string): Promise<InngestTables> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return {
    create: async () => {
      await client.query(Object.entries(inngestTables()).flatMap(declarations).join(';\n'))
    },
    insert: async (rows) => {
      for (const [name, group] of byTable(rows)) await insertInto(client, name, group)
    },
    names: async () => {
      const { rows } = await client.query<{ name: string }>(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
      )
      return rows.map(({ name }) => name)
    },
    select: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    run: async (sql) => {
      await client.query(sql)
    },
    close: async () => await client.end(),
  }
}

function declarations([name, { columns, indexes }]: readonly [string, Table]): string[] {
  const lines = columns.map(({ name: column, type, nullable }) => `"${column}" ${type}${nullable ? '' : ' NOT NULL'}`)
  for (const { columns: key, primary } of indexes) if (primary) lines.push(`PRIMARY KEY (${key.join(', ')})`)
  const further = indexes.filter(({ primary }) => !primary)
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (${lines.join(', ')})`,
    ...further.map(
      ({ columns: key, unique }, at) =>
        `CREATE ${unique ? 'UNIQUE ' : ''}INDEX IF NOT EXISTS ${name}_${at} ON ${name} (${key.join(', ')})`,
    ),
  ]
}

/** One statement for each 5 000 rows: a text array for each column, cast to the column's type. */
async function insertInto(client: Client, name: string, rows: readonly TableRow[]): Promise<void> {
  const columns = inngestTables()[name]?.columns ?? []
  const names = columns.map((column) => `"${column.name}"`).join(', ')
  const arrays = columns.map((_, at) => `$${at + 1}::text[]`).join(', ')
  const casts = columns.map((column) => `"${column.name}"::${column.type}`).join(', ')
  for (let at = 0; at < rows.length; at += 5_000) {
    const page = rows.slice(at, at + 5_000)
    await client.query(
      `INSERT INTO ${name} (${names}) SELECT ${casts} FROM unnest(${arrays}) AS given (${names})`,
      columns.map((column) => page.map(({ row }) => asText(row[column.name] ?? null))),
    )
  }
}

function asText(value: Value): string | null {
  if (value === null) return null
  return typeof value === 'object' ? `\\x${value.hex}` : String(value)
}
