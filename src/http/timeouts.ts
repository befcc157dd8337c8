/** How long the server waits for what, in milliseconds. */
export interface HttpTimeouts {
  /** For a whole request to arrive: 1 MB on a bad line, while a client that drips bytes is cut off. @default 20_000 */
  readonly requestMs: number
  /** Between two looks for requests that are late. @default 2_000 */
  readonly checkEveryMs: number
  /** For a connection on which nothing moves, a slow answer included: Telegram gives up after 60 s. @default 65_000 */
  readonly silenceMs: number
  /** For the next request on a connection. Longer than proxies keep one, so that they end it, not we. @default 120_000 */
  readonly keepAliveMs: number
  /** For the parts to say whether they are ready. @default 2_000 */
  readonly readinessMs: number
  /** For requests in flight when the server closes. @default 10_000 */
  readonly closeMs: number
}

/** Every default in one place. */
export const defaultTimeouts: HttpTimeouts = {
  requestMs: 20_000,
  checkEveryMs: 2_000,
  silenceMs: 65_000,
  keepAliveMs: 120_000,
  readinessMs: 2_000,
  closeMs: 10_000,
}
