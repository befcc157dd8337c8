import type { StoredObject, StoredText } from './entries.ts'
import { decodeInstant } from './instant.ts'

/**
 * The order time that a stored value tells, for a key that carries none: `created_at`, `createdAt` only where the former is
 * absent, and of a leftover the first entry's `at`. The first that applies is final, even when it is no time.
 *
 * @returns epoch milliseconds, or undefined for a value without a readable time: nothing is deleted on a guess.
 */
export function timeOfStored(stored: StoredText, zone: string): number | undefined {
  switch (stored.kind) {
    case 'order':
      return timeOfReceived(stored.received, zone)
    case 'leftover': {
      const [first] = stored.entries
      return decodeInstant(first?.['at'], zone)
    }
    case 'unreadable':
      return undefined
    default:
      return stored satisfies never
  }
}

/** The same of an order's fields: `created_at`, or `createdAt` where the former is absent. */
export const timeOfReceived = (received: StoredObject, zone: string): number | undefined =>
  decodeInstant(received[Object.hasOwn(received, 'created_at') ? 'created_at' : 'createdAt'], zone)
