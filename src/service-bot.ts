import { Buffer } from 'node:buffer'
import type { App } from './app.ts'
import type { ServiceConfig } from './config.ts'
import { InputError } from './errors.ts'
import { UNDO_MS } from './orders/desk.ts'
import { exportOrders } from './orders/export.ts'
import { timeOfReceived } from './orders/order-time.ts'
import { timeOfId } from './orders/order.ts'
import { isOpen } from './orders/status.ts'
import { isoInstant } from './calendar.ts'
import type { RedisStatus } from './redis/status/redis-status.ts'
import type { Sweeps } from './sweeps/registry.ts'
import { calendarCutoffs } from './sweeps/retention.ts'
import { createTelegram, type Telegram } from './telegram/bot.ts'
import type { ExportedFile } from './telegram/export.ts'
import type { StatusFacts } from './telegram/status.ts'
import type { UsageSource } from './telegram/usage.ts'

export interface BotOptions {
  readonly app: App
  readonly config: ServiceConfig
  /** As the service runs them: what comes of a run is remembered. */
  readonly sweeps: Sweeps
  readonly status: () => StatusFacts
  /** How each configured Redis is. */
  readonly redisStatus: RedisStatus
  readonly usage: UsageSource
  readonly onError: (error: unknown) => void
}

/** Bytes of a file that Telegram takes from a bot, with room for the rest of the request. */
const MOST_FILE_BYTES = 45_000_000

/** The bot with everything of the app that it needs. */
export function createBot(options: BotOptions): Telegram {
  const { app, config, sweeps, status, redisStatus, usage, onError } = options
  const { clock, desk, orders } = app
  return createTelegram({
    config: config.telegram,
    adminIds: config.adminIds,
    ordersChatId: config.ordersChatId,
    zone: config.zone,
    clock,
    desk,
    store: orders,
    sweeps,
    undoMs: UNDO_MS,
    countOpenBeforeToday: () => countOpenBeforeToday(app),
    exportFile: (signal) => exportFile(app, signal),
    status,
    redisStatus: redisStatus.look,
    usage,
    onError,
  })
}

function countOpenBeforeToday({ orders, clock, config: { zone } }: App): number {
  const { cutoffMs } = calendarCutoffs({ days: 0, zone }, clock())
  return orders.held().filter(({ id, status, facts }) => {
    const timeMs = timeOfId(id, clock()) ?? timeOfReceived(facts, zone)
    return isOpen(status) && timeMs !== undefined && timeMs < cutoffMs
  }).length
}

async function exportFile({ meter, clock, config }: App, signal: AbortSignal): Promise<ExportedFile> {
  const lines: string[] = []
  let bytes = 0
  let leftOut = 0
  for await (const batch of exportOrders(meter.open('orders').send, signal)) {
    leftOut += batch.leftOut
    for (const line of batch.lines) {
      const text = `${JSON.stringify(line)}\n`
      bytes += Buffer.byteLength(text)
      lines.push(text)
    }
    if (bytes > MOST_FILE_BYTES) throw new InputError('The export is larger than Telegram takes from a bot.')
  }
  const date = isoInstant(clock(), config.zone).slice(0, 10)
  return { name: `orders-${date}.jsonl`, content: Buffer.from(lines.join('')), orders: lines.length, leftOut }
}
