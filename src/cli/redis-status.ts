import { setTimeout as sleep } from 'node:timers/promises'
import { statusStoresOf } from '../app-status-stores.ts'
import { systemClock, type Clock } from '../clock.ts'
import { InterruptedError } from '../errors.ts'
import { sumOf } from '../redis/meter.ts'
import { createRedisStatus } from '../redis/status/redis-status.ts'
import type { StatusStore, StoreStatus } from '../redis/status/status.ts'
import { fitting } from './fitting.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { statusDataOf } from './redis-status-data.ts'
import { statusStoreAt } from './redis-status-store.ts'
import { statusText } from './redis-status-text.ts'
import { WrongUseError, type CommandError, type CommandResult } from './result.ts'

export interface RedisStatusCommandOptions {
  /** Seconds between two looks; one look without it. */
  readonly watch?: number
  readonly url?: string
  readonly json?: boolean
}

/** Milliseconds that one look may take: whoever calls a command waits for it, and each request has its own deadline. */
const LOOK_MS = 120_000

/**
 * `orderly redis status`: how each configured Redis is, or the one at a URL, line by line with a verdict and a cure. An error
 * when one is bad or does not answer. Watching ends with an interrupt, or when nobody reads on.
 *
 * Costs on one's own server at most 20 SCAN, 500 MEMORY USAGE, 1 SCAN for each 1 000 keys to find queues, and 10
 * commands a queue; where commands are billed at most 51, and for queues 102 and the 10.
 */
export async function redisStatusCommand(options: RedisStatusCommandOptions, io: Io): Promise<CommandResult> {
  const { watch, url, json = false } = options
  if (watch !== undefined && json)
    throw new WrongUseError('--watch prints for people, so it cannot be used with --json.')
  if (url !== undefined) {
    const { store, zone, close } = statusStoreAt(url, io)
    try {
      return await showStores({ stores: [store], clock: systemClock, zone, warnings: [] }, { watch, io })
    } finally {
      await close()
    }
  }
  return await withApp(io, async (app) => {
    const { clock, config } = app
    const shown = { stores: statusStoresOf(app), clock, zone: config.zone, warnings: storeWarnings(app) }
    return await showStores(shown, { watch, io })
  })
}

interface Shown {
  readonly stores: readonly StatusStore[]
  readonly clock: Clock
  readonly zone: string
  readonly warnings: readonly string[]
}

interface How {
  readonly watch: number | undefined
  readonly io: Io
}

async function showStores(shown: Shown, { watch, io }: How): Promise<CommandResult> {
  const { stores, clock, zone, warnings } = shown
  const defects: unknown[] = []
  const onDefect = (error: unknown) => void defects.push(error)
  const { look } = createRedisStatus({ stores, clock, shareMs: 0, deadlineMs: LOOK_MS, onDefect })
  const isColoured = io.isOutTerminal === true && (io.env['NO_COLOR'] ?? '') === ''
  const isCuresFirst = watch !== undefined && io.isOutTerminal === true
  const textOf = (statuses: readonly StoreStatus[]) =>
    statusText(statuses, { zone, isColoured, isCuresFirst, nowMs: clock() })
  if (watch !== undefined) {
    await keepShowing(async () => textOf(await look()), { seconds: watch, io })
    return { data: null, text: '', error: null, warnings: [] }
  }
  const statuses = await look()
  if (defects.length > 0) throw defects[0]
  return {
    data: { stores: statuses.map((status) => statusDataOf(status, zone)) },
    text: textOf(statuses),
    error: troubleOf(statuses),
    warnings,
    cost: stores.map(({ meter }) => meter.cost()).reduce(sumOf),
  }
}

/**
 * On a terminal each text takes the place of the one before, and what it has no room for is left out. Ends when nobody reads stdout any more.
 *
 * @throws InterruptedError at Ctrl-C.
 */
async function keepShowing(draw: () => Promise<string>, { seconds, io }: { seconds: number; io: Io }): Promise<void> {
  const { stdout, isOutTerminal = false, outClosed, outSize = () => ({ rows: 24, columns: 80 }) } = io
  const signal = AbortSignal.any([io.signal, ...(outClosed === undefined ? [] : [outClosed])])
  if (isOutTerminal) stdout('\u001b[2J')
  while (!signal.aborted) {
    // One look after another: that is what watching is.
    const text = await draw()
    if (!signal.aborted) stdout(isOutTerminal ? inPlace(fitting(text, outSize())) : `${text}\n\n`)
    await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined)
  }
  if (io.signal.aborted) throw new InterruptedError('Stopped watching.')
}

/** From the upper left corner on, what is left of each line and of the screen cleared: no flicker. */
const inPlace = (text: string) => `\u001b[H${text.replaceAll('\n', '\u001b[K\n')}\u001b[K\n\u001b[J`

/** What a script should fail for: no answer first, for nothing else is known then. */
function troubleOf(statuses: readonly StoreStatus[]): CommandError | null {
  const silent = statuses.find(({ error }) => error !== null)
  if (silent?.error != null) return { ...silent.error, message: `Redis of ${silent.name}: ${silent.error.message}` }
  const bad = statuses.flatMap(({ name, lines }) =>
    lines.filter(({ verdict }) => verdict === 'bad').map((line) => `${name}: ${line.name}: ${line.cure ?? line.value}`),
  )
  return bad.length === 0 ? null : { code: 'REDIS_STATUS', message: `Redis needs help. ${bad.join(' ')}` }
}
