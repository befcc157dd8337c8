import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Copies, postgresCopies, sqliteCopies } from '../../support/inngest-copies.ts'
import { withInngestTables } from '../../support/inngest-database.ts'
import type { SweepSays, SweepTask } from '../../support/inngest-process.ts'
import { partOf, rowsAfter, rowsIn } from '../../support/inngest-rig.ts'
import { hasPostgres } from '../../support/postgres-server.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

async function sweepIn(zone: string, database: string) {
  const task: SweepTask = { options: { database } }
  const words = ['--import', 'tsx', 'test/support/inngest-process.ts', JSON.stringify(task)]
  const { stdout } = await run(process.execPath, words, { cwd: root, env: { ...process.env, TZ: zone } })
  const said = JSON.parse(stdout) as SweepSays
  if (said.hangs) throw new Error('The sweep hangs.')
  return { offset: said.offset, report: said.report }
}

/** Settings of a database that a session takes over unless it says otherwise. */
const odd = [
  "timezone = 'Pacific/Auckland'",
  "datestyle = 'SQL, DMY'",
  "bytea_output = 'escape'",
  "intervalstyle = 'iso_8601'",
]

const kinds = [
  [
    'PostgreSQL with another zone, other formats and the sorting of a language',
    async () => await postgresCopies({ icuLocale: 'en-US', settings: { timezone: 'America/Caracas' } }),
    async (database: string) =>
      await withInngestTables(database, async (tables) => {
        const name = new URL(database).pathname.slice(1)
        for (const setting of odd) await tables.run(`ALTER DATABASE ${name} SET ${setting}`)
      }),
  ],
  [
    'SQLite written in another zone',
    async () => await sqliteCopies({ zone: '+1245 +1245', hasMonotonic: true }),
    async () => undefined,
  ],
] as const

describe.each(kinds)('a sweep of %s', (name, start, change) => {
  const isHere = hasPostgres || !name.startsWith('PostgreSQL')
  let copies: Copies | undefined
  beforeAll(async () => {
    if (isHere) copies = await start()
  }, 60_000)
  afterAll(async () => await copies?.stop())

  it.skipIf(!isHere)(
    'comes to the same verdicts in every zone of the process',
    async () => {
      const zones = ['UTC', 'America/New_York', 'Asia/Kolkata']
      const runs = await Promise.all(
        zones.map(async (zone) => {
          const database = (await copies?.fresh()) ?? ''
          await change(database)
          const { offset, report } = await sweepIn(zone, database)
          return { offset, report, rows: await rowsIn(database) }
        }),
      )

      expect(runs.map(({ offset }) => offset)).toEqual([0, 300, -330])
      for (const { report, rows } of runs) {
        expect(report).toMatchObject({ outcome: 'done', deleted: 126, kept: 10, keptOpen: 51, because: null })
        expect(report.cutoff).toBe('2026-10-16T14:00:00.000+02:00')
        expect(partOf(report, 'run-less traces').deleted).toBe(239)
        expect(partOf(report, 'events').deleted).toBe(364)
        expect(rows).toEqual(rowsAfter('noRedis'))
      }
    },
    60_000,
  )
})
