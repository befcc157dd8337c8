import { RedisError } from '../../errors.ts'
import { readInfo, type Info } from '../info.ts'
import { listOf, valueOf, type Command, type Reply, type Transport } from '../transport.ts'
import type { ServerFacts } from './facts.ts'
import { figuresOf, isBilledStore } from './figures.ts'
import { slowCommandsOf } from './slow-log.ts'
import type { StatusStore } from './status.ts'

/** What is read of a server besides its judged facts. */
export interface ReadFacts extends ServerFacts {
  /** Keys of the selected database; null where nobody told. */
  readonly databaseKeys: number | null
}

export interface ReadOptions {
  readonly store: Pick<StatusStore, 'name' | 'kind'>
  readonly nowMs: number
}

const SETTINGS = ['save', 'maxclients'] as const
const SLOW_ENTRIES = 10

/**
 * Asks a server how it is. Costs nothing billed where commands are billed (INFO and PING), elsewhere SLOWLOG and DBSIZE as well.
 * What the user may not ask is left unknown.
 *
 * @throws RedisError when there was no answer.
 */
export async function readFacts(send: Transport, { store: { name, kind }, nowMs }: ReadOptions): Promise<ReadFacts> {
  const [told = null, pong = null] = await send([['INFO'], ['PING']])
  // A server that still loads its data, or a plan at its limit, answers nothing else either.
  for (const reply of [told, pong]) if (!isRefused(reply)) valueOf(reply)
  const info = await readInfo(async () => [told])
  const isBilled = kind === 'upstash' || isBilledStore(info)
  const asked = isBilled || kind === 'memory' ? nothingAsked(info) : await askOwnServer(send)
  const { settings, slowLog, databaseKeys } = asked
  const figures = figuresOf({ info, nowMs, settings })
  return { name, kind, isBilled, hasInfo: info.size > 0, figures, nowMs, slowLog, databaseKeys }
}

const isRefused = (reply: Reply) => reply instanceof RedisError && reply.code === 'REDIS_REFUSED'

const nothingAsked = (info: Info) => ({
  settings: new Map<string, string>(),
  slowLog: undefined,
  databaseKeys: figuresOf({ info, nowMs: 0, settings: new Map() }).keys,
})

async function askOwnServer(send: Transport) {
  const commands: readonly Command[] = [
    ['SLOWLOG', 'GET', SLOW_ENTRIES],
    ['DBSIZE'],
    // One by one: before Redis 7 it takes one name a call.
    ...SETTINGS.map((name): Command => ['CONFIG', 'GET', name]),
  ]
  const [slowLog = null, size = null, ...values] = await send(commands)
  const settings = SETTINGS.flatMap((name, at) => {
    const value = settingOf(values[at] ?? null)
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    settings: new Map<string, string>(settings),
    slowLog: slowLog instanceof RedisError ? null : slowCommandsOf(slowLog),
    databaseKeys: typeof size === 'number' ? size : null,
  }
}

/** The value of a CONFIG GET; undefined where the server refused, or knows no such setting. */
function settingOf(reply: Reply): string | undefined {
  if (reply instanceof RedisError || !Array.isArray(reply)) return undefined
  const [, value] = listOf(reply)
  return typeof value === 'string' ? value : undefined
}
