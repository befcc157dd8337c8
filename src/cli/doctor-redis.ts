import type { Store } from '../app-stores.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { lockKey } from '../redis/keys.ts'
import { createRedisStatus } from '../redis/status/redis-status.ts'
import type { StoreStatus } from '../redis/status/status.ts'
import { ask, type Command, type Transport } from '../redis/transport.ts'
import { fail, ok, warn, type Finding } from './doctor-check.ts'
import { printable } from './text.ts'

/** Milliseconds for a look at a server's state; a request has its own deadline before. */
const LOOK_MS = 11_000

/**
 * Whether a Redis answers, how fast, whether it may be written, and what is wrong with it, worst first. Costs 1 command; on a
 * server of one's own 2 more (SLOWLOG and DBSIZE).
 *
 * @throws RedisError
 */
export async function checkRedis({ name, kind, meter }: Store, clock: Clock): Promise<Finding> {
  const { send } = meter.open('redis-check')
  const latencyMs = await measureLatency(send, clock)
  await ask(send, probes[name])
  const defects: unknown[] = []
  const onDefect = (error: unknown) => void defects.push(error)
  const status = createRedisStatus({ stores: [{ name, kind, meter }], clock, deadlineMs: LOOK_MS, onDefect })
  const [found] = await status.figures()
  if (found === undefined || defects.length > 0) throw defects[0]
  return verdictOn(found, latencyMs)
}

/** Of one PING on an open connection. */
async function measureLatency(send: Transport, clock: Clock): Promise<number> {
  await ask(send, ['PING'])
  const sentAtMs = clock()
  await ask(send, ['PING'])
  return clock() - sentAtMs
}

/** What a server answers only where it may be written: ours must have room as well; in a foreign one nothing is put. */
const probes = {
  orders: ['SET', lockKey('doctor'), 'doctor', 'EX', 1],
  inngest: ['UNLINK', lockKey('doctor')],
  bullmq: ['UNLINK', lockKey('doctor')],
  executions: ['UNLINK', lockKey('doctor')],
} as const satisfies Record<Store['name'], Command>

function verdictOn({ error, lines, name }: StoreStatus, latencyMs: number): Finding {
  if (error !== null) return fail(error.message, `orderly redis status shows more of the Redis of ${name}.`)
  const detail = `answers in ${latencyMs} ms and takes writes`
  const [bad, look] = (['bad', 'look'] as const).map((verdict) => lines.filter((line) => line.verdict === verdict))
  const [worst] = [...(bad ?? []), ...(look ?? [])]
  if (worst === undefined) return ok(detail)
  const others = (bad?.length ?? 0) + (look?.length ?? 0) - 1
  const more = others > 0 ? `, and ${others} more` : ''
  const fix = `${worst.cure ?? ''}${others > 0 ? ' orderly redis status shows the others.' : ''}`.trim()
  const told = `${detail}; ${printable(worst.name, 80)}: ${printable(worst.value, 80)}${more}`
  return worst.verdict === 'bad' ? fail(told, fix) : warn(told, fix)
}

/** The variables that say where a store is. */
export function variablesOf(name: Store['name'], { redis }: Pick<Config, 'redis'>): string {
  if (name === 'inngest') return 'INNGEST_REDIS_URL'
  if (name === 'bullmq') return 'BULLMQ_REDIS_URL'
  if (name === 'executions') return 'EXECUTIONS_REDIS_URL'
  if (redis.kind === 'upstash') return 'UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN'
  return 'REDIS_URL (or REDIS_HOST, REDIS_PORT and REDIS_PASSWORD)'
}
