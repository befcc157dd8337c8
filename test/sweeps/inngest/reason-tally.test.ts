import { describe, expect, it } from 'vitest'
import { createReasonTally, settled } from '../../../src/sweeps/inngest/reason-tally.ts'
import type { Awareness, Verdict } from '../../../src/sweeps/inngest/verdict.ts'

const completed: Verdict = { isDue: true, reason: 'completed' }
const abandoned: Verdict = { isDue: true, reason: 'abandoned' }
const byAge: Verdict = { isDue: true, reason: 'by-age' }
const alive: Verdict = { isDue: false, reason: 'alive' }
const notJudged: Verdict = { isDue: false, reason: 'not-judged' }

function countsOf(verdicts: readonly Verdict[], awareness: Awareness) {
  const tally = createReasonTally()
  for (const verdict of verdicts) tally.add(verdict)
  return tally.counts(awareness)
}

describe('the verdict of a run at the end', () => {
  it.each<[Verdict, Awareness, Verdict]>([
    [abandoned, 'aware', abandoned],
    [abandoned, 'missing', notJudged],
    [completed, 'missing', completed],
    [alive, 'missing', alive],
    [byAge, 'off', byAge],
  ])('%j is, for those who are %s of Redis, %j', (verdict, awareness, final) => {
    expect(settled(verdict, awareness)).toEqual(final)
  })
})

describe('a tally of reasons', () => {
  it('tells what goes first, and the most frequent first', () => {
    expect(countsOf([alive, alive, alive, abandoned, completed, completed], 'aware')).toEqual([
      { ...completed, runs: 2 },
      { ...abandoned, runs: 1 },
      { ...alive, runs: 3 },
    ])
  })

  it('counts what Redis left open with what it never was asked about', () => {
    expect(countsOf([abandoned, abandoned, notJudged], 'missing')).toEqual([{ ...notJudged, runs: 3 }])
  })

  it('of nothing tells nothing', () => {
    expect(countsOf([], 'aware')).toEqual([])
  })
})
