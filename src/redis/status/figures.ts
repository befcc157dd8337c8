import { figureOf, versionOf, type Info } from '../info.ts'
import type { Figures } from './status.ts'

export interface FiguresOptions {
  readonly info: Info
  /** Of our clock; the server's own is used where it tells it. */
  readonly nowMs: number
  /** Answers of CONFIG GET by name; a name is missing where the server refused to say. */
  readonly settings: ReadonlyMap<string, string>
}

/** What INFO and some settings say, as figures. Texts of the server that look like nothing we know count as not told. */
export function figuresOf({ info, nowMs, settings }: FiguresOptions): Figures {
  const number = (name: string) => figureOf(info, name)
  return {
    version: matching(versionOf(info), /^\d{1,5}(\.\d{1,9}){0,3}[\w.-]{0,20}$/),
    role: roleOf(info),
    isCluster: flagOf(info, 'cluster_enabled'),
    uptimeSeconds: number('uptime_in_seconds'),
    usedMemoryBytes: number('total_data_size') ?? number('used_memory'),
    maxMemoryBytes: number('max_data_size') ?? number('maxmemory'),
    fragmentationRatio: ratioOf(info, 'mem_fragmentation_ratio'),
    connectedClients: number('connected_clients'),
    maxClients: number('maxclients') ?? wholeOf(settings.get('maxclients')),
    opsPerSecond: number('instantaneous_ops_per_sec'),
    hitRatio: hitRatioOf(number('keyspace_hits'), number('keyspace_misses')),
    evictedKeys: number('evicted_keys'),
    expiredKeys: number('expired_keys'),
    evictionPolicy: matching(info.get('maxmemory_policy') ?? null, /^[a-z-]{1,30}$/),
    keys: number('total_keys') ?? keysOf(info),
    rdbIsScheduled: settings.has('save') ? settings.get('save') !== '' : null,
    rdbLastSaveOk: successOf(info, 'rdb_last_bgsave_status'),
    rdbLastSaveAgeSeconds: ageOf(number('rdb_last_save_time'), serverTimeOf(info) ?? nowMs),
    rdbChangesSinceLastSave: number('rdb_changes_since_last_save'),
    aofEnabled: flagOf(info, 'aof_enabled'),
    aofLastWriteOk: successOf(info, 'aof_last_write_status'),
    aofLastRewriteOk: successOf(info, 'aof_last_bgrewrite_status'),
    aofSizeBytes: number('aof_current_size'),
    aofBaseBytes: number('aof_base_size'),
  }
}

/**
 * Whether the provider bills commands, whatever driver speaks to it: Upstash tells of a plan's room for data, which a
 * Redis of one's own does not know.
 */
export const isBilledStore = (info: Info): boolean => info.has('max_data_size') || info.has('total_data_size')

const matching = (text: string | null, pattern: RegExp) => (text !== null && pattern.test(text) ? text : null)

function roleOf(info: Info): Figures['role'] {
  const role = info.get('role')
  if (role === 'master') return 'primary'
  return role === 'slave' || role === 'replica' ? 'replica' : null
}

function flagOf(info: Info, name: string): boolean | null {
  const text = info.get(name)
  return text === '0' || text === '1' ? text === '1' : null
}

function successOf(info: Info, name: string): boolean | null {
  const text = info.get(name)
  return text === 'ok' || text === 'err' ? text === 'ok' : null
}

function ratioOf(info: Info, name: string): number | null {
  const text = info.get(name)
  return text !== undefined && /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : null
}

const wholeOf = (text: string | undefined) => (text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null)

const hitRatioOf = (hits: number | null, misses: number | null) =>
  hits === null || misses === null || hits + misses === 0 ? null : hits / (hits + misses)

/** The keys of all databases; a server without any key names no database. */
function keysOf(info: Info): number | null {
  const databases = [...info].filter(([name]) => /^db\d{1,5}$/.test(name))
  const counts = databases.map(([, text]) => wholeOf(/^keys=(\d{1,15})(,|$)/.exec(text)?.[1]) ?? NaN)
  const sum = counts.reduce((all, one) => all + one, 0)
  return Number.isNaN(sum) || info.size === 0 ? null : sum
}

/** A clock of ours that is wrong must not make a save old. */
function serverTimeOf(info: Info): number | null {
  const micros = Number(matching(info.get('server_time_usec') ?? null, /^\d{16}$/) ?? NaN)
  return Number.isNaN(micros) ? null : micros / 1_000
}

const ageOf = (atSeconds: number | null, nowMs: number) =>
  atSeconds === null || atSeconds === 0 ? null : Math.max(0, Math.round(nowMs / 1_000 - atSeconds))
