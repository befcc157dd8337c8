import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Truth } from './inngest-truth.ts'

/** A value of a row: bytes as hex, times in ISO UTC with Z, bigint and JSON as text. */
export type Value = string | number | boolean | null | { readonly hex: string }

export interface TableRow {
  readonly table: string
  readonly row: Readonly<Record<string, Value>>
}

export interface Column {
  readonly name: string
  /** As PostgreSQL names it. */
  readonly type: string
  readonly nullable: boolean
}

export interface Table {
  readonly columns: readonly Column[]
  /** A column may end in ` desc`. */
  readonly indexes: readonly {
    readonly columns: readonly string[]
    readonly unique: boolean
    readonly primary: boolean
  }[]
}

/** A key of Redis; `pttl` is its remaining time in milliseconds, -1 for none. */
export type RedisKey = { readonly key: string; readonly pttl: number } & (
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'hash'; readonly value: Readonly<Record<string, string>> }
  | { readonly type: 'list' | 'set'; readonly value: readonly string[] }
  | { readonly type: 'zset'; readonly value: readonly (readonly [member: string, score: number])[] }
)

/** The tables of an Inngest server, by name. */
export const inngestTables = once(() => {
  const { tables } = JSON.parse(read('columns.json')) as { readonly tables: Readonly<Record<string, Table>> }
  return tables
})

/** Every row of the frozen server state. */
export const fixtureRows = once(() => lines('rows.jsonl.gz') as readonly TableRow[])

/** Every key of the frozen server state. */
export const fixtureKeys = once(() => lines('redis.jsonl.gz') as readonly RedisKey[])

/** What a sweep has to do with it. */
export const fixtureTruth = once(() => JSON.parse(read('truth.json')) as Truth)

/** The rows of each table, in the order in which they came. */
export function byTable(rows: readonly TableRow[]): ReadonlyMap<string, readonly TableRow[]> {
  const groups = new Map<string, TableRow[]>()
  for (const row of rows) {
    const group = groups.get(row.table)
    if (group === undefined) groups.set(row.table, [row])
    else group.push(row)
  }
  return groups
}

function once<Result>(make: () => Result): () => Result {
  let made: { readonly result: Result } | undefined
  return () => (made ??= { result: make() }).result
}

function read(name: string): string {
  const bytes = readFileSync(join(import.meta.dirname, '../fixtures/inngest', name))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}

const lines = (name: string): unknown[] =>
  read(name)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
