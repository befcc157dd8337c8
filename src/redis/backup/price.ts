import { BATCH_BYTES, BATCH_KEYS } from './entries.ts'

/** What reading a database key by key costs where each command is billed. */
export interface Price {
  readonly commands: number
  /** At the provider's price beyond the free allowance. */
  readonly dollars: number
  /** Of the free plan's monthly allowance; 1 is all of it. */
  readonly shareOfFreePlan: number
}

/** Upstash's prices of November 2026. */
const DOLLARS_PER_COMMAND = 0.2 / 100_000
const FREE_COMMANDS_PER_MONTH = 500_000

/** Keys that one SCAN of such a provider looks at, whatever it is told. */
const KEYS_PER_SCAN = 1_000

/** The price of a logical dump: DUMP and PTTL for each key, SCAN for each thousand, and a few to begin with. */
export const priceOfDump = (keys: number): Price => priceOf(2 * keys + Math.ceil(keys / KEYS_PER_SCAN) + 2)

/** The price of a restore: RESTORE for each key, a few around each batch of them, and a few around all. */
export const priceOfRestore = (keys: number, bytes: number): Price =>
  priceOf(keys + 4 * (Math.ceil(keys / BATCH_KEYS) + Math.ceil(bytes / BATCH_BYTES)) + 20)

const priceOf = (commands: number): Price => ({
  commands,
  dollars: commands * DOLLARS_PER_COMMAND,
  shareOfFreePlan: commands / FREE_COMMANDS_PER_MONTH,
})
