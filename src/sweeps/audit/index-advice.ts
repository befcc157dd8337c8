import { quotedName } from '../../postgres/identifiers.ts'
import type { Column, Table } from './tables.ts'

/** An index that a sweep is fast with. */
export interface Wanted {
  readonly columns: readonly Column[]
  /** Of a partial index: the column that it is about. */
  readonly resolved?: Column
}

/** Whether a table has an index that begins with the wanted columns and holds all rows that are asked for. */
export const hasIndex = (table: Table, { columns, resolved }: Wanted): boolean =>
  table.indexes.some(
    ({ columns: found, condition }) =>
      columns.every(({ name }, at) => found[at] === name) &&
      (condition === null || (resolved !== undefined && conditionsOf(resolved).includes(condition))),
  )

/** What to tell people of an index that is missing: the statement that makes it. Undefined where it is there. */
export function indexAdvice(table: Table, wanted: Wanted): string | undefined {
  if (hasIndex(table, wanted)) return undefined
  const names = wanted.columns.map(({ sql }) => sql).join(', ')
  const condition = wanted.resolved === undefined ? '' : ` WHERE ${isResolved(wanted.resolved)}`
  return `It would be faster with an index: CREATE INDEX CONCURRENTLY ON ${table.sql} (${names})${condition};`
}

/** SQL: whether an alert is resolved. Only the text 'true' means it, no other spelling. */
export const isResolved = ({ sql, kind }: Column, table = ''): string =>
  kind === 'boolean' ? `${table}${sql}` : `${table}${sql} = 'true'`

/** The ways in which PostgreSQL writes this condition down; it quotes only names that need it. */
function conditionsOf({ name, kind }: Column): readonly string[] {
  return [quotedName(name), name].flatMap((column) =>
    kind === 'boolean'
      ? [column, `(${column} = true)`, `(${column} IS TRUE)`]
      : [`(${column} = 'true'::text)`, `((${column})::text = 'true'::text)`],
  )
}
