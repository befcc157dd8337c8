import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundsOf, boundsText, countDue } from '../../../src/sweeps/bullmq/bounds.ts'
import type { BullmqConfig } from '../../../src/config.ts'

const NOW = Date.UTC(2026, 10, 21)

describe('how many finished jobs are due', () => {
  it.each([
    ['nothing is there', { total: 0, older: 0 }, 1_000, 0],
    ['within both bounds', { total: 1_000, older: 0 }, 1_000, 0],
    ['one too many', { total: 1_001, older: 0 }, 1_000, 1],
    ['few, but old', { total: 10, older: 10 }, 1_000, 10],
    ['the number says more than the age', { total: 1_500, older: 200 }, 1_000, 500],
    ['the age says more than the number', { total: 1_500, older: 900 }, 1_000, 900],
    ['none is to be kept', { total: 7, older: 0 }, 0, 7],
  ])('%s', (_, counts, keep, due) => {
    expect(countDue(counts, keep)).toBe(due)
  })

  it('always names as many of the oldest as break a bound when each is judged by itself', () => {
    const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 })
    fc.assert(
      fc.property(times, fc.nat(45), fc.integer({ min: 0, max: 21 }), (finished, keep, cutoff) => {
        const jobs = finished.toSorted((a, b) => a - b)
        const isDue = jobs.map((time, at) => time < cutoff || jobs.length - at - 1 >= keep)

        const due = countDue({ total: jobs.length, older: jobs.filter((time) => time < cutoff).length }, keep)

        expect(isDue).toEqual(jobs.map((_, at) => at < due))
      }),
    )
  })
})

describe('the bounds of a run', () => {
  const config = {
    completed: { keep: 1_000, ageSeconds: 86_400 },
    failed: { keep: 5_000, ageSeconds: 604_800 },
  } as BullmqConfig
  const job = { asOfMs: NOW, days: undefined, cutoffMs: 0 } as Parameters<typeof boundsOf>[1]

  it('are those of the configuration, counted back from the instant that the run judges from', () => {
    expect(boundsOf(config, job)).toEqual({
      completed: { keep: 1_000, cutoffMs: NOW - 86_400_000 },
      failed: { keep: 5_000, cutoffMs: NOW - 604_800_000 },
    })
  })

  it('take asked-for days for both ages, and leave the numbers', () => {
    expect(boundsOf(config, { ...job, days: 3, cutoffMs: 77 })).toEqual({
      completed: { keep: 1_000, cutoffMs: 77 },
      failed: { keep: 5_000, cutoffMs: 77 },
    })
  })

  it('never reach back behind 1970', () => {
    const ancient = { ...config, completed: { keep: 1, ageSeconds: 1e12 } }

    expect(boundsOf(ancient, job).completed.cutoffMs).toBe(0)
  })
})

describe('the bounds in words', () => {
  it.each([
    [undefined, 'for 1 day', 'for 90 minutes'],
    [3, 'for 3 days', 'for 3 days'],
  ])('tell both numbers and both ages, with days %s', (days, completed, failed) => {
    const config = {
      completed: { keep: 1_000, ageSeconds: 86_400 },
      failed: { keep: 5_000, ageSeconds: 5_400 },
    } as BullmqConfig

    expect(boundsText(config, days)).toBe(
      `each queue keeps at most 1000 completed jobs ${completed} and 5000 failed ones ${failed}`,
    )
  })

  it.each([
    [1, '1 second'],
    [61, '61 seconds'],
    [7_200, '2 hours'],
    [90_000, '25 hours'],
    [604_800, '7 days'],
  ])('say %i seconds as %s', (ageSeconds, text) => {
    const one = { keep: 1, ageSeconds }

    expect(boundsText({ completed: one, failed: one } as BullmqConfig, undefined)).toContain(`jobs for ${text} and`)
  })
})
