import type { App } from '../app.ts'
import { inspectRedis, type Inspection } from '../redis/inspect.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { createProgress } from './progress.ts'
import { failed, type CommandResult } from './result.ts'
import { bytesText, columns, counted, printable } from './text.ts'

/** What the check calls the Redis that holds the orders. */
const STORE = 'orders'

/** The same fields as of a Redis that answers. */
const UNKNOWN = {
  latencyMs: null,
  server: null,
  version: null,
  usedBytes: null,
  limitBytes: null,
  evictionPolicy: null,
  keys: null,
  isComplete: false,
  prefixes: [],
  otherPrefixes: null,
} satisfies Record<keyof Inspection, unknown>

/** `orderly redis-check`: whether the configured Redis answers, and what is in it. */
export async function redisCheckCommand(io: Io): Promise<CommandResult> {
  return await withApp(io, async (app) => {
    const account = app.meter.open('redis-check')
    const progress = createProgress(io, app.clock)
    const onProgress = (keys: number) => progress.show(`${counted(keys, 'key')} counted`)
    try {
      const { send } = account
      const found = await inspectRedis({ send, kind: app.kind, clock: app.clock, signal: io.signal, onProgress })
      return { ...healthy(app, found), cost: account.cost() }
    } catch (error) {
      const stores = [{ name: STORE, ok: false, ...UNKNOWN }]
      return { ...failed(error), data: { stores }, cost: account.cost() }
    } finally {
      progress.clear()
    }
  })
}

function healthy(app: App, found: Inspection): CommandResult {
  return {
    data: { stores: [{ name: STORE, ok: true, ...found }] },
    text: inspectionText(found),
    error: null,
    warnings: [...storeWarnings(app), ...inspectionWarnings(found)],
  }
}

function inspectionWarnings({ evictionPolicy, limitBytes, isComplete, keys }: Inspection): readonly string[] {
  const evicts = limitBytes !== null && evictionPolicy !== null && evictionPolicy !== 'noeviction'
  return [
    ...(evicts
      ? [`maxmemory-policy is ${printable(evictionPolicy)}: orders can vanish when the memory is full. Set noeviction.`]
      : []),
    ...(isComplete ? [] : [`Only the first ${keys} keys were counted; each further 1000 would cost a command.`]),
  ]
}

function inspectionText(found: Inspection): string {
  const { latencyMs, server, version, usedBytes, limitBytes, keys, isComplete, prefixes, otherPrefixes } = found
  const limit = limitBytes === null ? '' : ` of ${bytesText(limitBytes)}`
  const rows = [
    ['server', printable([server, version].filter(Boolean).join(' '))],
    ['latency', `${latencyMs} ms`],
    ...(usedBytes === null ? [] : [['used', `${bytesText(usedBytes)}${limit}`]]),
    ['keys', `${keys}${isComplete ? '' : ' or more'}`],
  ]
  const families = prefixes.map(({ prefix, keys: count, sample }) => [
    printable(prefix, 40) || '(no colon)',
    String(count),
    sample.map((key) => printable(key, 40)).join(', '),
  ])
  const others = otherPrefixes > 0 ? [`  and ${counted(otherPrefixes, 'more prefix')}`] : []
  const headline = server === 'embedded' ? 'No Redis is configured; the embedded store answers.' : 'Redis answers.'
  return [headline, '', columns(rows), ...(families.length > 0 ? ['', columns(families)] : []), ...others].join('\n')
}
