/** One row by column name. Bytes are a `Uint8Array`; 64-bit integers and decimals of PostgreSQL are text. */
export type Row = Readonly<Record<string, unknown>>

export interface Answer {
  readonly rows: readonly Row[]
  /** Rows found or changed. */
  readonly count: number
}

/** The little of SQL that sweeps need, so that they and their tests need no driver. */
export interface Queryable {
  /**
   * Runs one statement with `$1`-style parameters.
   *
   * @throws DatabaseError
   */
  query(sql: string, values?: readonly unknown[]): Promise<Answer>
}

/** One session with a database: what a statement leaves in it (temporary tables, locks) is there for the next. */
export interface Database extends Queryable {
  readonly kind: 'postgres' | 'sqlite'
  /** Runs `work` in a transaction that is rolled back when it throws. Not to be nested. */
  transaction<Result>(work: () => Promise<Result>): Promise<Result>
  /** Ends the session and everything it holds. */
  close(): Promise<void>
}
