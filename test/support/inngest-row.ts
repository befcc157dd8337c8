import { type Column, inngestTables, type TableRow, type Value } from './inngest-fixture.ts'

/** A row with the values that matter; what else a column must hold is empty, null where it may be. */
export function aRow(table: string, given: Readonly<Record<string, Value>>): TableRow {
  const columns = inngestTables()[table]?.columns ?? []
  const unknown = Object.keys(given).find((name) => !columns.some((column) => column.name === name))
  if (columns.length === 0 || unknown !== undefined)
    throw new Error(`There is no ${table} with ${unknown ?? 'columns'}.`)
  return { table, row: Object.fromEntries(columns.map((column) => [column.name, given[column.name] ?? empty(column)])) }
}

function empty({ type, nullable }: Column): Value {
  if (nullable) return null
  if (type === 'bytea') return { hex: '' }
  if (type === 'boolean') return false
  if (type === 'uuid' || type === 'character(36)') return '00000000-0000-4000-a000-000000000000'
  if (type.startsWith('timestamp')) return '1970-01-01T00:00:00.000Z'
  return /int/.test(type) ? '0' : ''
}
