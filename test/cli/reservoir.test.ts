import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReservoir } from '../../src/cli/reservoir.ts'

/** Things of numbered kinds: as many of each as the list says. */
const many = (counts: readonly number[]) => counts.flatMap((count, kind) => Array.from({ length: count }, () => kind))

function sampleOf(kinds: readonly number[], most: number, random: () => number = Math.random): readonly number[] {
  const reservoir = createReservoir<number, number>(most, random)
  for (const kind of kinds) reservoir.add(kind, kind)
  return reservoir.sample()
}

const countOf = (sample: readonly number[], kind: number) => sample.filter((one) => one === kind).length

describe('a reservoir', () => {
  it.each([
    { counts: [1_000, 1], most: 20, shown: [19, 1] },
    { counts: [1_000, 1_000], most: 20, shown: [10, 10] },
    { counts: [5, 2, 1_000], most: 12, shown: [5, 2, 5] },
    { counts: [1_000], most: 3, shown: [3] },
    { counts: [2, 1], most: 20, shown: [2, 1] },
    { counts: [9, 9, 9], most: 2, shown: [1, 1, 0] },
    { counts: [], most: 20, shown: [] },
  ])('of $counts things of a kind each shows $shown where $most are asked for', ({ counts, most, shown }) => {
    const sample = sampleOf(many(counts), most)

    expect(shown.map((_, kind) => countOf(sample, kind))).toEqual(shown)
  })

  it('never shows more than were asked for, nor fewer than there are, and each kind where there is room', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 8 })
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 40 }), (perKind, most) => {
        const things = many(perKind)
        const sample = sampleOf(things, most)

        expect(sample).toHaveLength(Math.min(most, things.length))
        expect(new Set(sample).size).toBe(Math.min(perKind.length, most))
        expect(perKind.every((count, kind) => countOf(sample, kind) <= count)).toBe(true)
      }),
    )
  })

  it('shows late things as well as early ones', () => {
    const reservoir = createReservoir<string, number>(10, Math.random)
    for (let at = 0; at < 10_000; at++) reservoir.add('run', at)

    // That all ten are among the first half has a chance of one in a thousand; among the first 1 % none worth a thought.
    expect(reservoir.sample().some((at) => at >= 100)).toBe(true)
  })

  it.each([
    ['the least number keeps the newest thing', 0, [5, 1, 2]],
    ['the greatest keeps what was there', 0.999, [0, 1, 2]],
  ])('by chance: %s', (_, random, kept) => {
    const reservoir = createReservoir<string, number>(3, () => random)
    for (let at = 0; at < 6; at++) reservoir.add('run', at)

    expect(reservoir.sample()).toEqual(kept)
  })
})
