import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { observe, type PassClock } from '../../../src/sweeps/executions/observed-time.ts'

const MOST = 12

const clockAt = (latestMs: number, leftOutMs: number, isAfterGap = false): PassClock => ({
  latestMs,
  leftOutMs,
  isAfterGap,
})

/** What each of these passes makes of the one before. */
const passes = (times: readonly number[]) => {
  let earlier: PassClock | undefined
  return times.map((nowMs) => {
    const time = observe(earlier, { nowMs, mostMs: MOST })
    earlier = { latestMs: nowMs, leftOutMs: time.leftOutMs, isAfterGap: time.isAfterGap }
    return time
  })
}
const steps = (seen: ReturnType<typeof passes>) =>
  seen.slice(1).map(({ observedMs }, at) => observedMs - (seen[at]?.observedMs ?? Number.NaN))

describe('the time that counts for executions', () => {
  it.each<readonly [string, PassClock | undefined, number, { leftOutMs: number; observedMs: number }]>([
    ['begins at the real time', undefined, 100, { leftOutMs: 0, observedMs: 100 }],
    ['goes on as the clock does', clockAt(100, 0), 101, { leftOutMs: 0, observedMs: 101 }],
    ['takes in a gap of the most', clockAt(100, 0), 112, { leftOutMs: 0, observedMs: 112 }],
    ['leaves out the rest of a longer one', clockAt(100, 0), 162, { leftOutMs: 50, observedMs: 112 }],
    ['adds up what is left out', clockAt(162, 50), 175, { leftOutMs: 51, observedMs: 124 }],
    ['goes on after a gap', clockAt(162, 50), 163, { leftOutMs: 50, observedMs: 113 }],
    ['stands still at the same instant', clockAt(100, 5), 100, { leftOutMs: 5, observedMs: 95 }],
    ['stands still for a clock set back', clockAt(100, 0), 30, { leftOutMs: -70, observedMs: 100 }],
    ['goes on behind it', clockAt(30, -70), 31, { leftOutMs: -70, observedMs: 101 }],
    ['is no more when the clock is right again', clockAt(30, -70), 101, { leftOutMs: -11, observedMs: 112 }],
  ])('%s', (_, earlier, nowMs, expected) => {
    expect(observe(earlier, { nowMs, mostMs: MOST })).toMatchObject(expected)
  })

  it.each([
    ['the first', undefined, 500, true],
    ['one soon after the latest', clockAt(100, 0), 112, true],
    ['the first after a gap', clockAt(100, 0), 113, false],
    ['the second after a gap, soon', clockAt(113, 1, true), 114, true],
    ['each of a rare schedule but the first after a gap', clockAt(113, 1, true), 200, true],
    ['one of a clock set back', clockAt(100, 0), 30, true],
  ])('may remove in %s pass: %s', (_, earlier, nowMs, mayRemove) => {
    expect(observe(earlier, { nowMs, mostMs: MOST }).mayRemove).toBe(mayRemove)
  })

  it('never goes back, and never on by more than the most in one pass, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2e12 }), { minLength: 2 }), (times) => {
        for (const step of steps(passes(times))) {
          expect(step).toBeGreaterThanOrEqual(0)
          expect(step).toBeLessThanOrEqual(MOST)
        }
      }),
    )
  })

  it('is the real time when passes are frequent and the clock is steady', () => {
    fc.assert(
      fc.property(fc.nat(2e12), fc.array(fc.integer({ min: 0, max: MOST })), (startMs, gaps) => {
        let nowMs = startMs
        const times = [startMs, ...gaps.map((gap) => (nowMs += gap))]

        expect(passes(times).map(({ observedMs }) => observedMs)).toEqual(times)
      }),
    )
  })

  it('stays what a later pass makes of it, so that a dry one in between changes nothing', () => {
    const gaps = fc.integer({ min: -50, max: 50 })
    fc.assert(
      fc.property(gaps, gaps, (first, second) => {
        const earlier = clockAt(1_000, 7)
        const one = observe(earlier, { nowMs: 1_000 + first, mostMs: MOST })
        const other = observe(earlier, { nowMs: 1_000 + first + Math.abs(second), mostMs: MOST })

        expect(other.observedMs).toBeGreaterThanOrEqual(one.observedMs)
      }),
    )
  })
})
