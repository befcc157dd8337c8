import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { figuresOf } from '../../../src/redis/status/figures.ts'
import { linesOf, queueLine, worstOf } from '../../../src/redis/status/lines.ts'
import type { Verdict } from '../../../src/redis/status/status.ts'
import { steeringIn } from '../../support/cli.ts'
import { healthy, lineOf, linesFor, MIB, NOW_MS, upstash, type FactsOptions } from './rig.ts'

type Case = readonly [FactsOptions, line: string, Verdict, cure: RegExp | null]

const info = (fields: FactsOptions['info']): FactsOptions => ({ info: fields ?? {} })
const noAof = { aof_enabled: 0 }
const HOUR = 3_600
const secondsAgo = (seconds: number) => NOW_MS / 1_000 - seconds

const cases: readonly Case[] = [
  [info({ redis_version: '2.8.24' }), 'version', 'bad', /need 5\.0; 6\.2/],
  [info({ redis_version: '4.0.14' }), 'version', 'bad', /need 5\.0; 6\.2/],
  [info({ redis_version: '5.0.14' }), 'version', 'look', /6\.2 or newer/],
  [info({ redis_version: '6.0.16' }), 'version', 'look', /6\.2 or newer/],
  [info({ redis_version: '6.2.0' }), 'version', 'ok', null],
  [info({ redis_version: '10.0.1' }), 'version', 'ok', null],
  [info({ redis_version: undefined, valkey_version: '8.0.1' }), 'version', 'ok', null],
  [info({ redis_version: 'drop \u001b[2J' }), 'version', 'unknown', /does not tell/],
  [info({ role: 'slave' }), 'role', 'bad', /refuses every write/],
  [info({ role: 'sentinel' }), 'role', 'unknown', /does not tell/],
  [info({ cluster_enabled: 1 }), 'cluster', 'bad', /cluster-enabled no/],
  [info({ maxmemory: 0 }), 'memory', 'look', /Set maxmemory/],
  [{ isBilled: true, ...info({ maxmemory: 0 }) }, 'memory', 'ok', null],
  [info({ maxmemory: 1_000, used_memory: 799 }), 'memory', 'ok', null],
  [info({ maxmemory: 1_000, used_memory: 800 }), 'memory', 'look', /writes are refused/],
  [info({ maxmemory: 1_000, used_memory: 949 }), 'memory', 'look', /writes are refused/],
  [info({ maxmemory: 1_000, used_memory: 950 }), 'memory', 'bad', /writes are refused/],
  [info({ mem_fragmentation_ratio: '1.50' }), 'fragmentation', 'ok', null],
  [
    info({ mem_fragmentation_ratio: '1.51' }),
    'fragmentation',
    'look',
    /between the keys\. Run CONFIG SET activedefrag yes, which needs a Redis with its own jemalloc\.$/,
  ],
  [info({ mem_fragmentation_ratio: '0.89' }), 'fragmentation', 'look', /swapped/],
  [info({ mem_fragmentation_ratio: '9.50', used_memory: MIB }), 'fragmentation', 'ok', null],
  [info({ connected_clients: 69 }), 'clients', 'ok', null],
  [info({ connected_clients: 70 }), 'clients', 'look', /maxclients/],
  [info({ connected_clients: 90 }), 'clients', 'bad', /maxclients/],
  [
    { info: { connected_clients: 90, maxclients: undefined }, settings: { maxclients: '100' } },
    'clients',
    'bad',
    /max/,
  ],
  [info({ connected_clients: 90, maxclients: undefined }), 'clients', 'ok', null],
  [info({ keyspace_hits: 0, keyspace_misses: 0 }), 'hit rate', 'ok', null],
  [info({ evicted_keys: 3, maxmemory_policy: 'allkeys-lru' }), 'evicted keys', 'bad', /Set noeviction/],
  [info({ evicted_keys: 3 }), 'evicted keys', 'look', /before the policy was noeviction/],
  [info({ maxmemory_policy: 'allkeys-lru', maxmemory: 0 }), 'maxmemory-policy', 'look', /can vanish; set noeviction/],
  [info({ maxmemory_policy: 'volatile-ttl' }), 'maxmemory-policy', 'bad', /can vanish; set noeviction/],
  [{ name: 'inngest', ...info({ maxmemory_policy: 'volatile-ttl' }) }, 'maxmemory-policy', 'ok', null],
  [{ name: 'bullmq', ...info({ maxmemory_policy: 'allkeys-lru' }) }, 'maxmemory-policy', 'bad', /: jobs can vanish;/],
  [
    { name: 'bullmq', ...info({ maxmemory_policy: 'volatile-lru' }) },
    'maxmemory-policy',
    'bad',
    /: locks of jobs .* run/,
  ],
  [
    { name: 'url', ...info({ maxmemory_policy: 'volatile-lru' }) },
    'maxmemory-policy',
    'bad',
    /: what has an expiry can/,
  ],
  [
    { name: 'inngest', ...info({ maxmemory_policy: 'allkeys-lru' }) },
    'maxmemory-policy',
    'bad',
    /state of live runs can/,
  ],
  [
    { info: noAof, settings: { save: '' } },
    'AOF',
    'bad',
    /loses everything\. While it runs: CONFIG SET.*Not by a restart/,
  ],
  [{ info: noAof }, 'AOF', 'look', /since the last save\. While it runs: CONFIG SET appendonly yes.*Not by a restart/],
  [{ info: noAof, settings: {} }, 'AOF', 'look', /While it runs: CONFIG SET appendonly yes.*Not by a restart/],
  [info({ aof_last_write_status: 'err' }), 'AOF', 'bad', /refuses writes/],
  [info({ aof_last_bgrewrite_status: 'err' }), 'AOF', 'look', /BGREWRITEAOF/],
  [info({ aof_current_size: 300 * MIB, aof_base_size: 100 * MIB }), 'AOF size', 'ok', null],
  [info({ aof_current_size: 301 * MIB, aof_base_size: 100 * MIB }), 'AOF size', 'look', /BGREWRITEAOF/],
  [info({ aof_current_size: 63 * MIB, aof_base_size: 1 }), 'AOF size', 'ok', null],
  [info({ aof_current_size: 999 * MIB, aof_base_size: 0 }), 'AOF size', 'ok', null],
  [info({ rdb_last_bgsave_status: 'err' }), 'RDB', 'bad', /last save failed/],
  [info({ rdb_last_save_time: secondsAgo(24 * HOUR) }), 'RDB', 'ok', null],
  [info({ rdb_last_save_time: secondsAgo(24 * HOUR + 1) }), 'RDB', 'look', /more than a day/],
  [info({ rdb_last_save_time: secondsAgo(90 * HOUR), rdb_changes_since_last_save: 0 }), 'RDB', 'ok', null],
  [{ info: { rdb_last_save_time: secondsAgo(90 * HOUR) }, settings: { save: '' } }, 'RDB', 'ok', null],
  [{ info: noAof, settings: {} }, 'RDB', 'unknown', /right \+config\|get/],
  [{ settings: {} }, 'RDB', 'ok', null],
  [{ slowLog: null }, 'slow log', 'unknown', /right \+slowlog\|get/],
  [{ slowLog: [] }, 'slow log', 'ok', null],
  [{ slowLog: [{ atMs: NOW_MS - 60_000, micros: 99_999, command: 'KEYS' }] }, 'slow log', 'ok', null],
  [{ slowLog: [{ atMs: NOW_MS - 60_000, micros: 100_000, command: 'KEYS' }] }, 'slow log', 'look', /Use SCAN/],
  [{ slowLog: [{ atMs: NOW_MS - 24 * HOUR * 1_000, micros: 900_000, command: 'KEYS' }] }, 'slow log', 'ok', null],
]

describe('a line of a Redis', () => {
  it.each(cases)('of which %j holds is judged: %s is %s', (options, name, verdict, cure) => {
    const line = lineOf(linesFor(options), name)

    expect(line.verdict).toBe(verdict)
    expect(line.cure ?? 'none').toMatch(cure ?? /^none$/)
    // A terminal and a chat show no more of it.
    expect((line.cure ?? '').length).toBeLessThanOrEqual(300)
  })

  it('is fine on a server with which all is well', () => {
    const lines = linesFor()

    expect(lines.filter(({ verdict }) => verdict !== 'ok')).toEqual([])
    expect(Object.fromEntries(lines.map(({ name, value }) => [name, value]))).toEqual({
      version: '7.2.4',
      role: 'primary',
      uptime: '27 h',
      memory: '100 MiB of 512 MiB (20 %)',
      'maxmemory-policy': 'noeviction',
      'evicted keys': '0',
      'expired keys': '7',
      fragmentation: '1.1',
      keys: '42',
      clients: '5 of 100',
      'commands a second': '12',
      'hit rate': '75 %',
      AOF: 'on, the last write to it succeeded',
      'AOF size': '100 MiB, 90.0 MiB after the last rewrite',
      RDB: 'last save or start 10 min ago, 3 changes since',
      'slow log': 'empty',
    })
  })

  it('about an eviction policy says what can vanish, in the words of the issue', () => {
    const { cure } = lineOf(linesFor(info({ maxmemory_policy: 'allkeys-lru' })), 'maxmemory-policy')

    expect(cure).toBe('maxmemory-policy is allkeys-lru: order state can vanish; set noeviction.')
  })

  it('is left out where a provider does not tell it, and never unknown for that', () => {
    const nothing = Object.fromEntries(Object.keys(healthy).map((name) => [name, undefined]))
    const lines = linesFor({
      kind: 'upstash',
      isBilled: true,
      slowLog: undefined,
      settings: {},
      info: { ...nothing, ...upstash },
    })

    expect(lines.map(({ name, value, verdict }) => [name, value, verdict])).toEqual([
      ['version', '6.2.6', 'ok'],
      ['memory', '50.0 MiB of 256 MiB (20 %)', 'ok'],
      ['keys', '225', 'ok'],
    ])
  })

  it('is but one where INFO is refused, and names the right', () => {
    const lines = linesFor({ hasInfo: false })

    expect(lines).toEqual([
      { name: 'INFO', value: 'not told', verdict: 'unknown', cure: expect.stringContaining('+info') },
    ])
  })

  it('measures the age of a save by the clock of the server, where it tells it', () => {
    const server_time_usec = String((NOW_MS - 595_000) * 1_000)

    expect(lineOf(linesFor(info({ server_time_usec })), 'RDB').value).toMatch(/^last save or start 5 s ago/)
  })

  it('always has a cure unless it is well, and never shows what steers a terminal, whatever the server tells', () => {
    const names = [...Object.keys(healthy), ...Object.keys(upstash), 'server_time_usec', 'valkey_version', 'db1']
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.integer().map(String),
      fc.double().map(String),
      fc.constantFrom(
        '1',
        '0',
        'ok',
        'err',
        'master',
        'slave',
        '99999999999999999999',
        '7.2\u202e',
        '7.2\u001b[2J',
        'keys=x',
      ),
    )
    const settings = fc.dictionary(fc.constantFrom('save', 'maxclients'), text)
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), text), settings, fc.boolean(), (told, set, isBilled) => {
        const figures = figuresOf({
          info: new Map(Object.entries(told)),
          nowMs: NOW_MS,
          settings: new Map(Object.entries(set)),
        })
        const lines = linesOf({
          name: 'orders',
          kind: 'tcp',
          isBilled,
          hasInfo: true,
          nowMs: NOW_MS,
          slowLog: undefined,
          figures,
        })

        expect(lines.filter(({ verdict, cure }) => (verdict === 'ok') !== (cure === null))).toEqual([])
        expect(steeringIn(lines.map(({ name, value, cure }) => `${name}${value}${cure}`).join('\n'))).toEqual([])
        expect(Object.values(figures).filter((value) => Number.isNaN(value))).toEqual([])
      }),
    )
  })
})

describe('the verdict of a whole Redis', () => {
  it.each([
    [[], 'ok'],
    [['ok', 'ok'], 'ok'],
    [['ok', 'unknown'], 'unknown'],
    [['unknown', 'look', 'ok'], 'look'],
    [['look', 'bad', 'unknown'], 'bad'],
  ] as const)('of the lines %j is %s', (verdicts, worst) => {
    const lines = verdicts.map((verdict) => ({ name: '', value: '', verdict, cure: null }))

    expect(worstOf(lines)).toBe(worst)
  })
})

describe('the line of a queue', () => {
  it('names the states in which it has jobs, and those that could not be read', () => {
    const states = { wait: 3, active: 0, failed: null, completed: 12 }

    expect(queueLine({ name: 'mails', states, verdict: 'ok', cure: null })).toMatchObject({
      name: 'queue mails',
      value: 'wait 3, failed ?, completed 12',
    })
    expect(queueLine({ name: 'mails', states: { wait: 0 }, verdict: 'ok', cure: null }).value).toBe('no job')
  })
})
