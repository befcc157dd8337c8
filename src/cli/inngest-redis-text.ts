import type { KindCount } from '../sweeps/inngest/survey.ts'
import type { RedisCheck } from './inngest-redis-check.ts'
import type { RedisFacts } from './inngest-redis-facts.ts'
import { bytesText, columns, printable } from './text.ts'

/** What is in the Redis of an Inngest and whether the sweep may believe it, for a person at a terminal. */
export function redisText(check: RedisCheck): string {
  const { facts } = check
  const rows = [...(facts === undefined ? [] : factRows(facts)), ['database', databaseText(check)]]
  if (facts !== undefined) rows.push(['state check', stateText(check)])
  const headline = facts === undefined ? 'The Redis of Inngest could not be read.' : 'Redis answers.'
  return [headline, '', columns(rows), ...kindLines(facts?.kinds ?? [])].join('\n')
}

function factRows({ latencyMs, server, version, evictionPolicy, maxMemoryBytes, keys, prefixes }: RedisFacts) {
  const shown = prefixes.map(({ prefix, keys: count }) => `${printable(prefix, 60)} (${count})`)
  return [
    ['server', printable([server, version].filter(Boolean).join(' '))],
    ['latency', `${latencyMs} ms`],
    ['memory limit', maxMemoryBytes === null ? 'none' : bytesText(maxMemoryBytes)],
    ['eviction policy', evictionText(evictionPolicy)],
    ['keys', String(keys)],
    ['prefixes', shown.join(', ') || 'none'],
  ]
}

/** How many keys there are of each kind, and under it each sample on a line of its own. */
function kindLines(kinds: readonly KindCount[]): readonly string[] {
  const rows = kinds
    .filter(({ keys }) => keys > 0)
    .flatMap(({ name, keys, sample: [first = '', ...others] }) => [
      [name, String(keys), printable(first)],
      ...others.map((key) => ['', '', printable(key)]),
    ])
  return rows.length === 0 ? [] : ['', columns(rows)]
}

/** An eviction policy with what it means for the state of runs, whose keys have no expiry. */
export function evictionText(policy: string | null): string {
  if (policy === null) return 'unknown: allow the user to run INFO'
  const name = printable(policy, 40)
  if (policy === 'noeviction') return `${name} (good: nothing is dropped)`
  if (policy.startsWith('volatile-')) return `${name} (fine: the state of runs has no expiry and is not dropped)`
  return `${name} (bad: the state of live runs may be dropped; set noeviction)`
}

function databaseText({ hasUnfinishedRuns, facts }: RedisCheck): string {
  if (hasUnfinishedRuns === undefined) return 'could not be asked'
  if (!hasUnfinishedRuns) return 'answers; every run in it has finished'
  return `answers; it has unfinished runs${facts === undefined ? ', and a sweep would keep all of them' : ''}`
}

function stateText({ state }: RedisCheck): string {
  if (state === undefined) return 'not made: it needs the database'
  return state.ok ? `passes, prefix ${printable(state.prefix, 80)}` : `FAILS: ${printable(state.because, 600)}`
}
