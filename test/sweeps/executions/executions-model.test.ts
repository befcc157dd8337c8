import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { executionKeys } from '../../../src/executions/keys.ts'
import type { Command } from '../../../src/redis/transport.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { DAY_MS, executionsRig, HOUR_MS, leftBy, PREFIX } from './executions-rig.ts'

const IDS = ['a', 'b*']
const TASKS = ['x', 'y']

type Act =
  | { readonly kind: 'write'; readonly id: string; readonly command: (keys: Keys) => Command }
  | { readonly kind: 'sweep' | 'preview'; readonly hours: number }
type Keys = ReturnType<typeof executionKeys>

/** What anybody may do to the keys of an execution, in whatever order. */
const writes: readonly ((keys: Keys, task: string) => Command)[] = [
  ({ execution }) => ['SET', execution, 'true'],
  ({ execution }) => ['DEL', execution],
  ({ transactions }, task) => ['HSET', transactions, task, 'true'],
  ({ transactions }, task) => ['HDEL', transactions, task],
  ({ results }, task) => ['HSET', results, task, '1'],
  ({ results }) => ['DEL', results],
  ({ execution, transactions, results }) => ['DEL', execution, transactions, results],
  ({ execution }) => ['EXPIRE', execution, 9_999_999],
  ({ results }) => ['EXPIRE', results, 9_999_999],
  ({ execution }) => ['PERSIST', execution],
  ({ results }) => ['PERSIST', results],
  ({ execution }) => ['SET', execution, 'else'],
]

const write = fc
  .record({ id: fc.constantFrom(...IDS), task: fc.constantFrom(...TASKS), at: fc.nat(writes.length - 1) })
  .map(({ id, task, at }): Act => ({ kind: 'write', id, command: (keys) => writes[at]?.(keys, task) ?? ['PING'] }))
const look = fc.record({ kind: fc.constantFrom('sweep', 'sweep', 'preview'), hours: fc.constantFrom(1, 11, 12, 25) })
const acts = fc.array(fc.oneof({ weight: 2, arbitrary: write }, { weight: 3, arbitrary: look }), {
  minLength: 5,
  maxLength: 30,
})

/** A whole execution as anybody can read it: its keys with values and whether each expires. */
type Snapshot = readonly unknown[]

const exists = ([value, begun, committed]: Snapshot) => value !== null || String([begun, committed]) !== ','

const isJudged = (state: Snapshot) =>
  exists(state) && !state.slice(3).includes(true) && [null, 'true'].includes(state[0] as string | null)

describeWithRedis(
  'whatever happens to executions, the sweep',
  () => {
    const rig = executionsRig()

    const snapshot = async (id: string): Promise<Snapshot> => {
      const { execution, transactions, results } = executionKeys(PREFIX, id)
      const fields = async (key: string) => (await rig.ask(['HKEYS', key]))[0]
      const sorted = async (key: string) => [...((await fields(key)) as readonly string[])].toSorted()
      const [value, ...ttls] = await rig.ask(
        ['GET', execution],
        ...[execution, transactions, results].map((key): Command => ['TTL', key]),
      )
      return [value, await sorted(transactions), await sorted(results), ...ttls.map((ttl) => Number(ttl) >= 0)]
    }

    it('removes exactly what was the same, without expiry, at a run that deletes more than a day of observed time ago and at each since', async () => {
      let removed = 0
      const run = async (history: readonly Act[]) => {
        await rig.ask(['FLUSHDB'], ...leftBy('a'))
        const seen = new Map<string, { readonly state: string; readonly sinceMs: number }>()
        // Of the time between two runs that delete at most half a day counts.
        let observedMs = 0
        let unlookedMs = 0
        let wasGap = false
        let isFirst = true
        for (const act of history) {
          if (act.kind === 'write') {
            await rig.ask(act.command(executionKeys(PREFIX, act.id)))
            continue
          }
          rig.clock.advance(act.hours * HOUR_MS)
          unlookedMs += act.hours * HOUR_MS
          const nowMs = observedMs + Math.min(unlookedMs, DAY_MS / 2)
          // The first run after a gap removes nothing.
          const isGap: boolean = !isFirst && unlookedMs > DAY_MS / 2
          const mayRemove = !isGap || wasGap
          if (act.kind === 'sweep') [observedMs, unlookedMs, wasGap, isFirst] = [nowMs, 0, isGap, false]
          const before = new Map<string, Snapshot>()
          for (const id of IDS) before.set(id, await snapshot(id))
          const due = IDS.filter((id) => {
            const state = before.get(id) ?? []
            const known = seen.get(id)
            if (!mayRemove) return false
            return isJudged(state) && known?.state === JSON.stringify(state) && known.sinceMs < nowMs - DAY_MS
          })

          const { report } = act.kind === 'sweep' ? await rig.sweep() : await rig.preview()

          expect(report).toMatchObject({
            due: due.length,
            scanned: IDS.filter((id) => exists(before.get(id) ?? [])).length,
          })
          for (const id of IDS) {
            const state = before.get(id) ?? []
            const isGone = act.kind === 'sweep' && due.includes(id)
            if (isGone) removed += 1
            expect(await snapshot(id)).toEqual(isGone ? [null, [], [], false, false, false] : state)
            if (act.kind === 'preview') continue
            if (isGone || !isJudged(state)) seen.delete(id)
            else if (seen.get(id)?.state !== JSON.stringify(state)) {
              seen.set(id, { state: JSON.stringify(state), sinceMs: nowMs })
            }
          }
        }
      }

      await fc.assert(fc.asyncProperty(acts, run), { numRuns: 200 })
      expect(removed).toBeGreaterThan(25)
    }, 60_000)
  },
  { own: true },
)
