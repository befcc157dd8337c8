import type { App } from '../app.ts'
import { decodeInstant } from '../orders/instant.ts'
import { WrongUseError } from './result.ts'

const EARLIEST_MS = Date.UTC(2000)

/**
 * Reads `--as-of` in epoch milliseconds; without an offset it means the business zone.
 *
 * @throws WrongUseError also for a time ahead where something would be deleted.
 */
export function readAsOf({ config, clock }: App, text: string, { apply }: { readonly apply: boolean }): number {
  const asOfMs = decodeInstant(text, config.zone)
  if (asOfMs === undefined)
    throw new WrongUseError('--as-of must be a date with a time, such as 2025-12-08T21:00:00+01:00.')
  if (apply && asOfMs > clock()) {
    throw new WrongUseError('--as-of must not lie ahead when something is deleted: it would go before its time.')
  }
  if (asOfMs < EARLIEST_MS) throw new WrongUseError('--as-of must not lie before the year 2000.')
  return asOfMs
}
