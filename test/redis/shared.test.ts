import { describe, expect, it } from 'vitest'
import { createShared } from '../../src/redis/shared.ts'
import { fakeClock } from '../support/clock.ts'

/** Work that ends when it is told to. */
function aRig() {
  const clock = fakeClock('2026-11-21T12:00:00Z')
  const ends: ((failure?: Error) => void)[] = []
  const work = () =>
    new Promise<number>((resolve, reject) => {
      const number = ends.length + 1
      ends.push((failure) => (failure === undefined ? resolve(number) : reject(failure)))
    })
  return { clock, shared: createShared(work, clock), ends }
}

const down = new Error('down')

describe('shared work', () => {
  it('is done once for all who ask while it is under way, however long that is', async () => {
    const { clock, shared, ends } = aRig()
    const first = shared.within(1_000)
    clock.advance(600_000)
    const second = shared.within(1_000)

    ends[0]?.()

    expect(await Promise.all([first, second])).toEqual([1, 1])
    expect(ends).toHaveLength(1)
  })

  it('stands for as long as whoever asks wants, counted from its beginning', async () => {
    const { clock, shared, ends } = aRig()
    const first = shared.within(1_000)
    ends[0]?.()
    await first

    clock.advance(999)
    expect(await shared.within(1_000)).toBe(1)
    clock.advance(1)
    void shared.within(1_000)

    expect(ends).toHaveLength(2)
  })

  it('begins anew when the clock was put back by as much', async () => {
    const { clock, shared, ends } = aRig()
    const first = shared.within(1_000)
    ends[0]?.()
    await first

    clock.advance(-1_000)
    void shared.within(1_000)

    expect(ends).toHaveLength(2)
  })

  it('that failed is not repeated at once, but after 15 s though a success would stand for an hour', async () => {
    const { clock, shared, ends } = aRig()
    const first = shared.within(3_600_000)
    ends[0]?.(down)
    await expect(first).rejects.toBe(down)

    clock.advance(14_999)
    await expect(shared.within(3_600_000)).rejects.toBe(down)
    clock.advance(1)
    const next = shared.within(3_600_000)
    ends[1]?.()

    expect(await next).toBe(2)
    clock.advance(3_599_999)
    expect(await shared.within(3_600_000)).toBe(2)
  })

  it('keeps its latest success through later failures, until it is too old', async () => {
    const { clock, shared, ends } = aRig()
    expect(shared.latest(1_000)).toBe(undefined)
    const first = shared.within(0)
    ends[0]?.()
    await first
    const second = shared.within(0)
    ends[1]?.(down)
    await expect(second).rejects.toBe(down)

    clock.advance(999)
    expect(shared.latest(1_000)).toBe(1)
    clock.advance(1)
    expect(shared.latest(1_000)).toBe(undefined)
  })
})
