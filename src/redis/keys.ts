/** Every key of Orderly's own is spelled here and nowhere else. */

/** What every order's key begins with, Orderly's own and the former bot's alike. */
export const ORDER_PREFIX = 'order:'

/** The SCAN pattern of all orders. */
export const ORDER_PATTERN = `${ORDER_PREFIX}*`

/** The key of an order: one string, the order as received and its entries. */
export const orderKey = (id: string) => `${ORDER_PREFIX}${id}`

/** The lease of whoever works at `name`; expires by itself. */
export const lockKey = (name: string) => `orderly:lock:${name}`

/** The stream of a sweep's last 20 reports. */
export const sweepsKey = (name: string) => `orderly:sweeps:${name}`

/** The name of the last slot of a schedule that was completed. */
export const scheduleKey = (name: string) => `orderly:schedule:${name}`

/** What a month of the budget cost, a hash with one field of each boot; `month` is `yyyy-mm`. */
export const usageKey = (month: string) => `orderly:usage:${month}`

/** What a sweep over a foreign Redis saw at earlier runs: a sorted set or a hash in that Redis. */
export const seenKey = (name: string) => `orderly:seen:${name}`

/** The mark of an unfinished restore in its target: the checksum of the backup and the token of the run that is at it. */
export const restoreKey = 'orderly:restore'

/** Where a restore puts a value to compare it with the one that is there; expires after a minute. */
export const restoreCompareKey = `${restoreKey}:compare`
