import type { RedisError } from '../../../src/errors.ts'
import { createMeter, type Meter } from '../../../src/redis/meter.ts'
import { refusal } from '../../../src/redis/failures.ts'
import { figuresOf } from '../../../src/redis/status/figures.ts'
import { linesOf } from '../../../src/redis/status/lines.ts'
import type { ServerFacts } from '../../../src/redis/status/facts.ts'
import type { StatusLine, StoreStatus } from '../../../src/redis/status/status.ts'
import type { Command, Reply, Transport } from '../../../src/redis/transport.ts'
import { instant } from '../../support/clock.ts'

export const NOW_MS = instant('2026-11-21T12:00:00Z')
const NOW_SECONDS = NOW_MS / 1_000
export const MIB = 1_024 * 1_024

/** INFO of a Redis with which all is well, as far as it matters. */
export const healthy: Readonly<Record<string, string | number>> = {
  redis_version: '7.2.4',
  role: 'master',
  cluster_enabled: 0,
  uptime_in_seconds: 100_000,
  used_memory: 100 * MIB,
  maxmemory: 512 * MIB,
  maxmemory_policy: 'noeviction',
  mem_fragmentation_ratio: '1.10',
  connected_clients: 5,
  maxclients: 100,
  instantaneous_ops_per_sec: 12,
  keyspace_hits: 75,
  keyspace_misses: 25,
  evicted_keys: 0,
  expired_keys: 7,
  rdb_changes_since_last_save: 3,
  rdb_last_save_time: NOW_SECONDS - 600,
  rdb_last_bgsave_status: 'ok',
  aof_enabled: 1,
  aof_last_write_status: 'ok',
  aof_last_bgrewrite_status: 'ok',
  aof_current_size: 100 * MIB,
  aof_base_size: 90 * MIB,
  db0: 'keys=40,expires=40,avg_ttl=1',
  db3: 'keys=2,expires=0,avg_ttl=0',
}

/** A database at Upstash, as far as its INFO is known. */
export const upstash: Readonly<Record<string, string | number>> = {
  redis_version: '6.2.6',
  total_data_size: 50 * MIB,
  max_data_size: 256 * MIB,
  total_keys: 225,
  total_commands_processed: 12_345,
}

/** Fields as a server writes them; undefined ones are left out. */
export const infoText = (fields: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')

export type Fields = Readonly<Record<string, string | number | undefined>>

export interface FactsOptions extends Partial<Omit<ServerFacts, 'figures'>> {
  /** Over those of a healthy server. */
  readonly info?: Fields
  readonly settings?: Readonly<Record<string, string>>
}

/** Judges a server of one's own that is healthy but for what is given. */
export function linesFor({
  info = {},
  settings = { save: '900 1' },
  ...given
}: FactsOptions = {}): readonly StatusLine[] {
  const fields = Object.entries({ ...healthy, ...info }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  )
  const figures = figuresOf({ info: new Map(fields), nowMs: NOW_MS, settings: new Map(Object.entries(settings)) })
  return linesOf({
    name: 'orders',
    kind: 'tcp',
    isBilled: false,
    hasInfo: true,
    nowMs: NOW_MS,
    slowLog: [],
    ...given,
    figures,
  })
}

/** The line of this name; one that says so where there is none. */
export const lineOf = (lines: readonly StatusLine[], name: string): StatusLine =>
  lines.find((line) => line.name === name) ?? { name, value: 'no such line', verdict: 'unknown', cure: null }

/** The line of this name in a status. */
export const lineIn = ({ lines }: StoreStatus, name: string) => lineOf(lines, name)

/** What a played server answers, by the command's name; a command that is not in it is refused, as one without rights is. */
export type Answers = Readonly<Record<string, (args: Command) => Exclude<Reply, RedisError> | RedisError>>

export interface PlayedServer {
  readonly send: Transport
  readonly meter: Meter
}

/** A server that answers as it is told, without any network. */
export function played(answers: Answers): PlayedServer {
  const send: Transport = async (commands) =>
    commands.map((command) => {
      const answer = answers[command[0]]
      return answer === undefined ? refusal(command[0], 'NOPERM this user has no permissions') : answer(command)
    })
  return { send, meter: createMeter(send) }
}
