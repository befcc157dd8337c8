import type { Store } from '../app-stores.ts'
import type { Clock } from '../clock.ts'
import { inspectRedis, type Inspection } from '../redis/inspect.ts'
import { sumOf, type Account } from '../redis/meter.ts'
import type { Io } from './io.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { createProgress } from './progress.ts'
import { failed, type CommandError, type CommandResult } from './result.ts'
import { bytesText, columns, counted, printable } from './text.ts'

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

/** What can vanish from a Redis when the memory is full. */
const contents = {
  orders: 'orders',
  inngest: 'the state of live runs',
  bullmq: 'jobs',
  executions: 'results of executions',
} as const satisfies Record<Store['name'], string>

/** A Redis that is looked at. */
interface Looked extends Pick<Store, 'name' | 'kind'> {
  readonly account: Account
}

/** What a look at one came to. */
interface Look {
  readonly store: Looked
  readonly found: Inspection | undefined
  readonly error: CommandError | null
}

/** `orderly redis-check`: whether each configured Redis answers, and what is in it. */
export async function redisCheckCommand(io: Io): Promise<CommandResult> {
  return await withApp(io, async (app) => {
    const stores = app.stores.map(({ name, kind, meter }) => ({ name, kind, account: meter.open('redis-check') }))
    const looks: Look[] = []
    for (const store of stores) looks.push(await lookAt(store, { clock: app.clock, io }))
    return {
      data: {
        stores: looks.map(({ store, found }) => ({ name: store.name, ok: found !== undefined, ...(found ?? UNKNOWN) })),
      },
      text: looks.flatMap((look) => textOf(look, stores.length)).join('\n\n'),
      error: looks.find(({ error }) => error !== null)?.error ?? null,
      warnings: [...storeWarnings(app), ...looks.flatMap(warningsOf)],
      cost: stores.map(({ account }) => account.cost()).reduce(sumOf),
    }
  })
}

async function lookAt(store: Looked, { clock, io }: { readonly clock: Clock; readonly io: Io }): Promise<Look> {
  const progress = createProgress(io, clock)
  const onProgress = (keys: number) => progress.show(`${counted(keys, 'key')} counted`)
  try {
    const { kind, account } = store
    const found = await inspectRedis({ send: account.send, kind, clock, signal: io.signal, onProgress })
    return { store, found, error: null }
  } catch (error) {
    return { store, found: undefined, error: failed(error).error }
  } finally {
    progress.clear()
  }
}

/** With the name of the store where there are several. */
function textOf({ store, found, error }: Look, stores: number): readonly string[] {
  const heading = stores > 1 ? `Redis of ${store.name}: ` : ''
  if (found !== undefined) return [`${heading}${inspectionText(found)}`]
  return heading === '' ? [] : [`${heading}${error?.message ?? ''}`]
}

function warningsOf({ store, found }: Look): readonly string[] {
  if (found === undefined) return []
  const { evictionPolicy, limitBytes, isComplete, keys } = found
  const evicts = limitBytes !== null && evictionPolicy !== null && evictionPolicy !== 'noeviction'
  const policy = `maxmemory-policy is ${printable(evictionPolicy ?? '')}`
  return [
    ...(evicts ? [`${policy}: ${contents[store.name]} can vanish when the memory is full. Set noeviction.`] : []),
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
  const others =
    otherPrefixes > 0 ? [`  and ${otherPrefixes === 1 ? '1 more prefix' : `${otherPrefixes} more prefixes`}`] : []
  const headline = server === 'embedded' ? 'No Redis is configured; the embedded store answers.' : 'Redis answers.'
  return [headline, '', columns(rows), ...(families.length > 0 ? ['', columns(families)] : []), ...others].join('\n')
}
