export type Verdict = 'keep' | 'delete'

/** By whether Redis can be read. */
export interface Verdicts {
  readonly redis: Verdict
  readonly noRedis: Verdict
}

/** What Redis may hold that shows that a run is alive. */
export type SignOfLife = 'metadata' | 'pr' | 'idx'

/** Rows by table. */
export type Counts = Readonly<Record<string, number>>

export interface TruthRun {
  readonly run: string
  readonly kind: string
  readonly case: string
  readonly startedAt: string
  readonly finished: boolean
  readonly finishedAt: string | null
  readonly traceRunLossy: boolean
  readonly rows: Counts
  readonly alive: readonly SignOfLife[] | null
  readonly expected: Verdicts
  readonly reason: string
  /** Only where the run lives in tables alone that no sweep has to walk. */
  readonly expectedIfVisited?: Verdict
}

/** The state of one run in Redis. */
export interface TruthGroup {
  readonly run: string
  readonly case: string
  readonly database: 'finished' | 'unfinished' | 'unknown'
  readonly databaseAfterPass: 'finished' | 'unfinished' | 'unknown'
  readonly alive: readonly SignOfLife[]
  readonly keys: readonly string[]
  readonly indexKeys: readonly string[]
  readonly expected: Verdict
  readonly reason: string
  readonly dependsOnOrder?: boolean
}

/** What a sweep of the frozen server state has to do, by the rules in the fixture's README. */
export interface Truth {
  readonly now: string
  readonly retentionDays: number
  readonly factor: number
  readonly cutoff: string
  readonly incompleteCutoff: string
  readonly redisGraceHours: number
  readonly runs: readonly TruthRun[]
  readonly redisGroups: readonly TruthGroup[]
  readonly otherRedisKeys: readonly { readonly key: string; readonly expected: 'keep' | 'set-ttl-24h' }[]
  /** `event` is the ULID that the row's `internal_id` holds. */
  readonly events: readonly { readonly event: string; readonly name: string; readonly expected: Verdicts }[]
  readonly runlessTraces: readonly { readonly traceId: string; readonly spanId: string; readonly expected: Verdict }[]
  readonly counts: {
    readonly rowsBefore: Counts
    readonly rowsAfter: { readonly redis: Counts; readonly noRedis: Counts }
    readonly redisKeysBefore: number
  }
}
