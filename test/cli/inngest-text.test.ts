import { describe, expect, it } from 'vitest'
import { diagnosisText, reasonRows } from '../../src/cli/inngest-diagnosis-text.ts'
import type { Diagnosis } from '../../src/cli/inngest-diagnose.ts'
import type { RedisCheck } from '../../src/cli/inngest-redis-check.ts'
import { evictionText, redisText } from '../../src/cli/inngest-redis-text.ts'
import { inngestReportText } from '../../src/cli/inngest-report-text.ts'
import type { Verification, VerifiedRun } from '../../src/cli/inngest-verify.ts'
import { verificationText } from '../../src/cli/inngest-verify-text.ts'
import { reasonTexts } from '../../src/sweeps/inngest/verdict.ts'
import type { SweepPart, SweepReport } from '../../src/sweeps/report.ts'
import { steeringIn } from '../support/cli.ts'

const judging = {
  asOf: '2026-11-15T13:00:00.000+01:00',
  zone: 'Europe/Berlin',
  days: 30,
  cutoff: '2026-10-16T14:00:00.000+02:00',
  extendedCutoff: '2026-09-16T14:00:00.000+02:00',
}

const aReport = (given: Partial<SweepReport> = {}): SweepReport => ({
  ...judging,
  id: '01KYF4QQ9HRD3GTQD0GSYVPPHY',
  startedAt: '2026-11-15T13:00:00.000+01:00',
  attempt: 1,
  sweep: 'inngest',
  trigger: 'cli',
  by: null,
  dryRun: false,
  outcome: 'done',
  mode: 'aware of Redis (key prefix estate)',
  summary: 'Deleted 2 completed runs and 1 abandoned incomplete runs.',
  because: null,
  scanned: 5,
  due: 3,
  deleted: 3,
  kept: 1,
  keptOpen: 1,
  unreadable: { count: 0, sample: [] },
  parts: null,
  commands: { EXISTS: 6 },
  billedCommands: 6,
  requests: 1,
  valueBytes: 0,
  durationMs: 1_230,
  ...given,
})

const aPart = (given: Partial<SweepPart>): SweepPart => ({
  name: 'completed runs',
  scanned: 3,
  due: 2,
  deleted: 2,
  kept: 1,
  because: null,
  ...given,
})

describe('the report of a sweep over Inngest', () => {
  it.each<[string, Partial<SweepReport>]>([
    ['Deleted 2 completed runs and 1 abandoned incomplete runs.', {}],
    ['Would delete 2 completed runs.', { outcome: 'planned', dryRun: true, summary: 'Would delete 2 completed runs.' }],
    ['Sweep inngest stopped. Deleted 1 completed runs.', { outcome: 'stopped', summary: 'Deleted 1 completed runs.' }],
    ['Sweep inngest failed. Deleted 0 runs.', { outcome: 'failed', summary: null, deleted: 0 }],
    ['Sweep inngest skipped. Deleted 0 runs.', { outcome: 'skipped', summary: null, deleted: 0 }],
  ])('begins with %j', (headline, given) => {
    expect(inngestReportText(aReport(given)).split('\n')[0]).toBe(headline)
  })

  it('tells mode and cutoffs', () => {
    expect(inngestReportText(aReport())).toBe(
      [
        'Deleted 2 completed runs and 1 abandoned incomplete runs.',
        '',
        '  mode                  aware of Redis (key prefix estate)',
        '  judged as of          2026-11-15T13:00:00.000+01:00 (Europe/Berlin)',
        '  finished kept from    2026-10-16T14:00:00.000+02:00 on (30 x 24 hours before)',
        '  unfinished kept from  2026-09-16T14:00:00.000+02:00 on at least',
        '  Redis commands        6 billed (EXISTS 6)',
        '  took                  1.23 s',
      ].join('\n'),
    )
  })

  it.each<[boolean, readonly string[]]>([
    [
      false,
      [
        '                         looked at  due  deleted',
        '  completed runs         3          2    2        1 kept: why',
        '  orphaned state         0          0    0        2 seen once',
      ],
    ],
    [
      true,
      [
        '                  looked at  would be deleted',
        '  completed runs  3          2                 1 kept: why',
        '  orphaned state  0          0                 2 seen once',
      ],
    ],
  ])('shows parts in which something was found, as a dry run: %j', (dryRun, lines) => {
    const parts = [
      aPart({ because: '1 kept: why' }),
      aPart({ name: 'events', scanned: 0, due: 0, deleted: 0 }),
      aPart({ name: 'orphaned state', scanned: 0, due: 0, deleted: 0, because: '2 seen once' }),
    ]

    const text = inngestReportText(aReport({ parts, dryRun }))

    expect(text.split('\n\n').at(-1)?.split('\n').map(squeezed)).toEqual(lines.map(squeezed))
    expect(text).not.toContain('events')
  })

  it('tells of runs that nobody can read only where there are some', () => {
    expect(inngestReportText(aReport())).not.toContain('unreadable')
    expect(inngestReportText(aReport({ unreadable: { count: 1, sample: [] } }))).toMatch(/unreadable, kept +1 run$/m)
  })
})

/** A line without the width of its columns. */
const squeezed = (line: string) => line.trim().replaceAll(/ {2,}/g, ' | ')

describe('what an eviction policy means', () => {
  it.each([
    ['noeviction', 'noeviction (good: nothing is dropped)'],
    ['volatile-lru', 'volatile-lru (fine: the state of runs has no expiry and is not dropped)'],
    ['allkeys-lfu', 'allkeys-lfu (bad: the state of live runs may be dropped; set noeviction)'],
    ['something\u001bnew', String.raw`something\u{1b}new (bad: the state of live runs may be dropped; set noeviction)`],
    [null, 'unknown: allow the user to run INFO'],
  ])('%j: %s', (policy, text) => {
    expect(evictionText(policy)).toBe(text)
  })
})

const facts: RedisCheck['facts'] = {
  latencyMs: 2,
  server: 'redis',
  version: '7.0.15',
  evictionPolicy: 'noeviction',
  maxMemoryBytes: null,
  keys: 3,
  kinds: [
    { name: 'queue', keys: 2, sample: ['{queue}:a', '{queue}:b\u001b[2J'] },
    { name: 'connect', keys: 0, sample: [] },
  ],
  prefixes: [{ prefix: 'estate', keys: 1 }],
  runIds: [],
}

describe('a look at the Redis of an Inngest', () => {
  it('tells what the server is, whether it may be believed, and what is in it', () => {
    const text = redisText({ facts, hasUnfinishedRuns: true, state: { ok: true, prefix: 'estate', server: undefined } })

    expect(text).toBe(
      [
        'Redis answers.',
        '',
        '  server           redis 7.0.15',
        '  latency          2 ms',
        '  memory limit     none',
        '  eviction policy  noeviction (good: nothing is dropped)',
        '  keys             3',
        '  prefixes         estate (1)',
        '  database         answers; it has unfinished runs',
        '  state check      passes, prefix estate',
        '',
        '  queue  2  {queue}:a',
        String.raw`            {queue}:b\u{1b}[2J`,
      ].join('\n'),
    )
  })

  it.each<[string, Partial<RedisCheck>, readonly string[]]>([
    ['a check that fails', { state: { ok: false, because: 'Do this.' } }, ['FAILS: Do this.']],
    [
      'no database',
      { hasUnfinishedRuns: undefined, state: undefined },
      ['could not be asked', 'not made: it needs the database'],
    ],
    ['no unfinished run', { hasUnfinishedRuns: false }, ['answers; every run in it has finished']],
    [
      'no Redis',
      { facts: undefined, state: undefined },
      ['The Redis of Inngest could not be read.', 'unfinished runs, and a sweep would keep all of them'],
    ],
  ])('with %s says so', (_, given, told) => {
    const text = redisText({
      facts,
      hasUnfinishedRuns: true,
      state: { ok: true, prefix: 'estate', server: undefined },
      ...given,
    })

    for (const words of told) expect(text).toContain(words)
  })
})

const aDiagnosis = (given: Partial<Diagnosis> = {}): Diagnosis => ({
  judging,
  mode: 'aware of Redis (key prefix estate)',
  database: 'postgres',
  tables: [
    { name: 'spans', rows: 12, oldest: '2026-07-19T14:00:00.252+02:00', newest: '2026-11-15T12:45:35.781+01:00' },
    { name: 'events', rows: 0, oldest: null, newest: null },
  ],
  runs: {
    finished: 5,
    unfinished: 3,
    signs: { alive: 2, idle: 1 },
    reasons: [{ isDue: true, reason: 'completed', runs: 4 }],
  },
  keys: { keys: 7, kinds: [{ name: 'queue', keys: 7, sample: ['{queue}:a'] }] },
  state: { finished: 1, unfinished: 2, unknown: 3 },
  ...given,
})

describe('a diagnosis', () => {
  it('tells what is in both stores, whether they agree, and what a sweep would do', () => {
    expect(diagnosisText(aDiagnosis()).split('\n').map(squeezed)).toEqual([
      'Mode: aware of Redis (key prefix estate)',
      '',
      'Tables (postgres):',
      'rows | oldest | newest',
      'spans | 12 | 2026-07-19T14:00:00.252+02:00 | 2026-11-15T12:45:35.781+01:00',
      'events | 0 | - | -',
      '',
      'Runs:',
      'finished | 5',
      'unfinished | 3',
      'unfinished, with a sign of life in Redis | 2',
      'unfinished, without one | 1',
      '',
      'Keys in Redis (7):',
      'queue | 7',
      '',
      'Runs with keys in Redis (at most 1000), as the database knows them:',
      'finished | 1',
      'unfinished | 2',
      'unknown | 3',
      '',
      'A sweep as of 2026-11-15T13:00:00.000+01:00 (Europe/Berlin) that keeps 30 x 24 hours:',
      `delete | 4 | ${reasonTexts.completed}`,
    ])
  })

  it('without Redis tells what the database alone knows', () => {
    const runs = { finished: 5, unfinished: 3, signs: undefined, reasons: [] }

    const text = diagnosisText(aDiagnosis({ runs, keys: null, state: null }))

    expect(text).toContain('unfinished  3')
    expect(text).not.toMatch(/sign of life|Keys in Redis|as the database knows/)
  })

  it('of no run says that there is none', () => {
    expect(reasonRows([])).toEqual([['no run']])
  })
})

const aRun = (given: Partial<VerifiedRun> = {}): VerifiedRun => ({
  id: '01KYF4QQ9HRD3GTQD0GSYVPPHY',
  started: '2026-07-26T13:59:00.000+02:00',
  finished: '2026-07-26T14:01:59.999+02:00',
  signsOfLife: [],
  verdict: 'delete',
  reason: 'completed',
  because: 'finished before the cutoff',
  ...given,
})

const textOf = (sample: readonly VerifiedRun[], given: Partial<Verification> = {}) =>
  verificationText({ judging, mode: 'aware', reasons: [], sample, ...given })

describe('a verification', () => {
  it.each<[Partial<VerifiedRun>, string]>([
    [
      {},
      'delete | 01KYF4QQ9HRD3GTQD0GSYVPPHY | 2026-07-26 13:59 | 2026-07-26 14:01 | none | finished before the cutoff',
    ],
    [
      { finished: null, signsOfLife: ['metadata', 'jobs'], verdict: 'keep', because: 'it lives' },
      'keep | 01KYF4QQ9HRD3GTQD0GSYVPPHY | 2026-07-26 13:59 | no | metadata, jobs | it lives',
    ],
    [
      { finished: 'unknown', signsOfLife: null, verdict: 'keep', because: 'nobody knows' },
      'keep | 01KYF4QQ9HRD3GTQD0GSYVPPHY | 2026-07-26 13:59 | unknown | not asked | nobody knows',
    ],
  ])('of %j shows a line %j', (given, line) => {
    expect(
      textOf([aRun(given)])
        .split('\n')
        .map(squeezed),
    ).toContain(line)
  })

  it('of no run says so, and that nothing was changed', () => {
    expect(textOf([])).toMatch(/would judge:\n {2}no run\n\nNothing was changed\.$/)
  })

  it('never lets a mode through that steers a terminal', () => {
    expect(steeringIn(textOf([], { mode: 'x\u001b[2J' }))).toEqual([])
  })
})
