import { createApp } from '../src/app.ts'
import { systemClock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import { createLog } from '../src/log.ts'
import { decodeInstant } from '../src/orders/instant.ts'
import { ORDER_PATTERN } from '../src/redis/keys.ts'
import { scanPages } from '../src/redis/scan.ts'
import {
  ask,
  integerOf,
  listOf,
  optionalTextOf,
  textOf,
  type Connection,
  type Transport,
} from '../src/redis/transport.ts'
import { calendarCutoffs } from '../src/sweeps/retention.ts'
import { RETENTION_DAYS, ZONE, type OwnAccount, type PruneWay } from './job.ts'

/** What a way did: orders changed or deleted as the replies told, and Orderly's own account of it. */
export interface Work {
  readonly done: number
  readonly own: OwnAccount | null
}

/** Prepares a way (not measured) and resolves with its work. */
export type Prepare = (connection: Connection, options: { readonly asOfMs: number }) => Promise<() => Promise<Work>>

/** The app as the CLI makes it, with its log at info thrown away after it was written. */
export function openApp(connection: Connection) {
  const config = readConfig({ RETENTION_DAYS: String(RETENTION_DAYS), TIME_ZONE: ZONE })
  const log = createLog({ level: 'info', destination: { write: () => {} } })
  return createApp(config, log, { clock: systemClock, connection })
}

/** The pruner as the product runs it: under its lock, with its record. */
const orderly: Prepare = async (connection, { asOfMs }) => {
  const { sweeps } = await openApp(connection)
  return async () => {
    const { report } = await sweeps.orders({ trigger: 'cli', dryRun: false, days: RETENTION_DAYS, asOfMs })
    const { commands, billedCommands: billed, requests, outcome } = report
    return { done: report.deleted, own: { commands, billed, requests, outcome } }
  }
}

/** The former bot's way: all keys at once, then one request for each value and one for each deletion. */
const former: Prepare =
  async ({ send }, { asOfMs }) =>
  async () => {
    const keys = listOf(await ask(send, ['KEYS', ORDER_PATTERN])).map(textOf)
    return { done: await deleteOld(send, keys, asOfMs), own: null }
  }

/** What most people write instead: SCAN in pages of 1 000, then the same. */
const naive: Prepare =
  async ({ send }, { asOfMs }) =>
  async () => {
    let done = 0
    for await (const keys of scanPages(send, { match: ORDER_PATTERN })) done += await deleteOld(send, keys, asOfMs)
    return { done, own: null }
  }

async function deleteOld(send: Transport, keys: readonly string[], asOfMs: number): Promise<number> {
  const { cutoffMs } = calendarCutoffs({ days: RETENTION_DAYS, zone: ZONE }, asOfMs)
  let deleted = 0
  for (const key of keys) {
    const text = optionalTextOf(await ask(send, ['GET', key]))
    if (text !== undefined && isOlder(text, cutoffMs)) deleted += integerOf(await ask(send, ['DEL', key]))
  }
  return deleted
}

function isOlder(text: string, cutoffMs: number): boolean {
  const order: unknown = JSON.parse(text)
  if (typeof order !== 'object' || order === null || !('created_at' in order)) return false
  return (decodeInstant(order.created_at, ZONE) ?? Infinity) < cutoffMs
}

/** Every way to prune. Orderly's is the same whatever the store holds. */
export const preparePrune: Readonly<Record<PruneWay, Prepare>> = {
  former,
  naive,
  foreign: orderly,
  ulid: orderly,
  between: orderly,
}
