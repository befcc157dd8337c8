import { InputError } from '../errors.ts'

/**
 * The whole seconds, rounded up, of a time to live in milliseconds; undefined for none.
 *
 * @throws InputError unless it is a positive number of milliseconds.
 */
export function expirySeconds(ttl: number | undefined): number | undefined {
  if (ttl === undefined) return undefined
  if (typeof ttl === 'number' && ttl > 0 && ttl <= Number.MAX_SAFE_INTEGER) return Math.ceil(ttl / 1000)
  throw new InputError('The option ttl must be a positive number of milliseconds; leave it out for no expiry.')
}
