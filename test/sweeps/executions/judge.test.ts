import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge, type Sighting } from '../../../src/sweeps/executions/judge.ts'
import type { Look } from '../../../src/sweeps/executions/look.ts'

const [BEFORE, CUTOFF, NOW] = [1_000, 2_000, 3_000]
const lasting: Look = { kind: 'lasting', first: 'execution', state: '0=a' }
const seen = (sinceMs: number, state = '0=a'): Sighting => ({ sinceMs, state })

describe('the judgement on an execution', () => {
  it.each<readonly [string, Look, Sighting | undefined, ReturnType<typeof judge>]>([
    ['that has gone', { kind: 'gone' }, seen(BEFORE), undefined],
    ['with an expiry', { kind: 'expiring', first: 'execution' }, seen(BEFORE), 'expiring'],
    ['of keys of another kind', { kind: 'odd', first: 'results' }, seen(BEFORE), 'unreadable'],
    ['that nobody saw', lasting, undefined, 'first-seen'],
    ['in the same state since before the cutoff', lasting, seen(CUTOFF - 1), 'due'],
    ['in the same state since the cutoff', lasting, seen(CUTOFF), 'waiting'],
    ['in the same state since now', lasting, seen(NOW), 'waiting'],
    ['in another state than before', lasting, seen(BEFORE, '0=b'), 'changed'],
    ['that lost its own key', { ...lasting, first: 'results', state: '2=a' }, seen(BEFORE), 'changed'],
    ['seen in the future', lasting, seen(NOW + 1), 'first-seen'],
  ])('%s is right', (_, look, sighting, verdict) => {
    expect(judge(look, { sighting, nowMs: NOW, cutoffMs: CUTOFF })).toBe(verdict)
  })

  const looks = fc.oneof(
    fc.constant<Look>({ kind: 'gone' }),
    fc.constantFrom<Look>({ kind: 'expiring', first: 'execution' }, { kind: 'odd', first: 'transactions' }),
    fc.constantFrom('0=a', '1=a', '2=b').map((state): Look => ({ kind: 'lasting', first: 'execution', state })),
  )
  const times = fc.integer({ min: 0, max: 6 })

  it('is never due unless it lasts in the very state in which it was seen before the cutoff, and not later than now', () => {
    const sightings = fc.option(fc.record({ sinceMs: times, state: fc.constantFrom('0=a', '1=a', '2=b') }), {
      nil: undefined,
    })
    fc.assert(
      fc.property(looks, sightings, times, times, (look, sighting, nowMs, cutoffMs) => {
        const isUnchanged = look.kind === 'lasting' && sighting?.state === look.state
        const isOld = sighting !== undefined && sighting.sinceMs < cutoffMs && sighting.sinceMs <= nowMs
        expect(judge(look, { sighting, nowMs, cutoffMs }) === 'due').toBe(isUnchanged && isOld)
      }),
      { numRuns: 1_000 },
    )
  })
})
