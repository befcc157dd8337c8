/** What a command has of the outside world. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** Whether stderr is a terminal with a person before it. */
  readonly isTerminal: boolean
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}
