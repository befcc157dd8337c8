import { isStoredObject, type StoredText } from './entries.ts'
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
      return decodeInstant(
        stored.received[Object.hasOwn(stored.received, 'created_at') ? 'created_at' : 'createdAt'],
        zone,
      )
    case 'leftover': {
      const [first] = stored.entries
      return isStoredObject(first) ? decodeInstant(first['at'], zone) : undefined
    }
    case 'unreadable':
      return undefined
    default:
      return stored satisfies never
  }
}
