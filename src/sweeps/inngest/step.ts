/** What one short piece of work over a table found and did, in rows. */
export interface Step {
  readonly scanned: number
  readonly due: number
  /** 0 in a dry run. */
  readonly deleted: number
}

export interface StepOptions {
  /** Rows before this go, in epoch milliseconds. */
  readonly cutoffMs: number
  readonly isDryRun: boolean
  /** Rows that one statement touches at most. */
  readonly limit: number
}
