import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { aRun } from '../../support/inngest-history.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { databaseOf, orphanRig } from './orphan-rig.ts'
import { HOUR_MS, NOW_MS } from './redis-rig.ts'

const GRACE_MS = 24 * HOUR_MS

/** What is true of a run while one pass goes on. */
const moment = fc.record({
  alive: fc.subarray(['metadata', 'pr', 'idx'] as const),
  database: fc.constantFrom('finished' as const, 'unfinished' as const, undefined),
})

const life = fc.record({
  ageMs: fc.oneof(fc.integer({ min: -HOUR_MS, max: 3 * GRACE_MS }), fc.constantFrom(GRACE_MS, GRACE_MS + 1)),
  state: fc.subarray(['actions', 'bulk-events', 'stack', 'inputs', 'pending'] as const),
  moments: fc.array(moment, { minLength: 3, maxLength: 3 }),
})

interface Life {
  readonly id: string
  readonly ageMs: number
  readonly moments: readonly {
    readonly alive: readonly ('metadata' | 'pr' | 'idx')[]
    readonly database: 'finished' | 'unfinished' | undefined
  }[]
}

/** The rule in the words of the fixture's README. */
function isNeeded({ ageMs, moments }: Life, at: number): boolean {
  const { alive = [], database } = moments[at] ?? {}
  return ageMs <= GRACE_MS || alive.includes('pr') || alive.includes('idx') || database === 'unfinished'
}

describeWithRedis(
  'the state of a run',
  () => {
    const rig = orphanRig()

    /** Makes true what is true of the runs at that moment, and says what the database knows. */
    const enter = async (runs: readonly Life[], at: number) => {
      const signs = (run: Life, when: number) =>
        aRun({ id: run.id, startedAt: NOW_MS, alive: run.moments[when]?.alive ?? [] }).keys
      const past = at === 0 ? [] : runs.flatMap((run) => signs(run, at - 1).map(({ key }) => key))
      if (past.length > 0) await rig.transport.send([['UNLINK', ...past]])
      await rig.store(runs.flatMap((run) => signs(run, at)))
      const states = runs.map(({ id, moments }) => [id, moments[at]?.database] as const)
      return databaseOf(Object.fromEntries(states.flatMap(([id, state]) => (state === undefined ? [] : [[id, state]]))))
    }

    it('goes whole when nobody needed it at two passes running, and never otherwise', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(life, { minLength: 1, maxLength: 12 }),
          fc.constantFrom(1, 100_000),
          async (lives, mostKeys) => {
            await rig.empty()
            const runs = lives.map((one) => ({ ...one, ...aRun({ startedAt: NOW_MS - one.ageMs, state: one.state }) }))
            await rig.store(runs.flatMap(({ keys }) => keys))
            let seen = new Set<string>()
            for (const at of [0, 1, 2]) {
              const database = await enter(runs, at)
              const before = (await rig.content()).keys
              const hasState = (id: string) => before.some((key) => key.startsWith(`{estate:${id}}`))
              const orphans = runs.filter((run) => !isNeeded(run, at) && hasState(run.id)).map(({ id }) => id)
              const due = orphans.filter((id) => seen.has(id))

              const { runs: counts } = await rig.pass({ mostKeys, database })

              const { keys } = await rig.content()
              expect(keys).toEqual(before.filter((key) => !due.some((id) => key.startsWith(`{estate:${id}}`))))
              expect(counts).toMatchObject({ due: due.length, deleted: due.length })
              expect(counts.seenOnce).toBe(orphans.length - due.length)
              seen = new Set(orphans.filter((id) => !due.includes(id)))
            }
          },
        ),
        { numRuns: 60 },
      )
    }, 60_000)
  },
  { own: false },
)
