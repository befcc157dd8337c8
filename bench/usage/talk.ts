/** What the service of the bench begins with. */
export interface UsageJob {
  readonly env: Readonly<Record<string, string>>
  /** ISO instant that its clock stands at. */
  readonly now: string
}

/** What the bench tells the service: to move its clock, to begin to measure, and to say what it measured. */
export type UsageOrder =
  { readonly kind: 'advance'; readonly ms: number } | { readonly kind: 'watch' } | { readonly kind: 'report' }

/** What the service measured of itself since it was told to watch; resident memory in bytes. */
export interface UsageFigures {
  readonly startBytes: number
  readonly peakBytes: number
  readonly endBytes: number
  /**
   * The most work of the main thread in one go: what it computed between two looks. Other processes on a busy machine do not
   * count. Null where the operating system does not tell.
   */
  readonly longestWorkMs: number | null
  /** The longest delay of the event loop by the clock, in which other processes count too. */
  readonly longestDelayMs: number
}

/** What the service answers; figures only to `report`. */
export interface UsageAnswer {
  readonly figures: UsageFigures | null
}
