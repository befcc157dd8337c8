import { describe, expect, it } from 'vitest'
import { createFreshness } from '../../src/orders/freshness.ts'
import { fakeClock } from '../support/clock.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000

/** A copy that was loaded at boot, and reloads whenever that is due: what it is asked, minutes after boot. */
function aCopy() {
  const clock = fakeClock('2025-12-08T20:00:00+01:00')
  const freshness = createFreshness(clock)
  const bootMs = clock()
  freshness.noteLoad(bootMs)
  const show = () => {
    const isDue = freshness.isReloadDue(always)
    if (isDue) freshness.noteLoad(clock())
    return isDue
  }
  const at = (minutes: number) => clock.advance(bootMs + minutes * MINUTE_MS - clock())
  return { clock, freshness, show, at }
}

const always = () => true
const never = () => false

describe('a reload of the orders', () => {
  it('is due as long as nothing was loaded', () => {
    expect(createFreshness(fakeClock('2025-12-08T20:00:00+01:00')).isReloadDue(always)).toBe(true)
  })

  it('is not due for 30 s, whoever writes', () => {
    const { clock, freshness, show } = aCopy()
    freshness.noteOthers()

    clock.advance(30 * SECOND_MS - 1)
    expect(show()).toBe(false)
    clock.advance(1)
    expect(show()).toBe(true)
  })

  it.each([1, 60, 3 * 24 * 60])(
    'is due at the first list after a boot, %i minutes later, and then no more',
    (minutes) => {
      const { show, at } = aCopy()

      at(minutes)
      expect(show()).toBe(true)
      at(minutes + 3)
      expect(show()).toBe(minutes === 1)
      at(minutes + 6)
      expect(show()).toBe(false)
    },
  )

  it('is due again and again while a deploy runs two instances, but not after', () => {
    const { show, at } = aCopy()

    const due = [0.5, 1, 1.5, 1.9, 2.4, 3, 4, 60].map((minutes) => {
      at(minutes)
      return show()
    })

    expect(due).toEqual([true, true, true, false, true, false, false, false])
  })

  it('is due for ten minutes after a sign of another writer', () => {
    const { freshness, show, at } = aCopy()
    at(60)
    show()
    at(120)
    expect(show()).toBe(false)

    freshness.noteOthers()
    const due = [120, 120.4, 125, 129.9, 130, 140].map((minutes) => {
      at(minutes)
      return show()
    })

    expect(due).toEqual([true, false, true, true, false, false])
  })

  it('counts from when the load began, for what is written while it runs may be missed', () => {
    const { clock, freshness } = aCopy()
    freshness.noteOthers()
    const begunMs = clock()
    clock.advance(30 * SECOND_MS)

    freshness.noteLoad(begunMs)

    expect(freshness.isReloadDue(always)).toBe(true)
  })
})

it('is due before the first load although nothing optional may be paid for, and then no more', () => {
  const clock = fakeClock('2025-12-08T20:00:00+01:00')
  const freshness = createFreshness(clock)
  expect(freshness.isReloadDue(never)).toBe(true)
  freshness.noteLoad(clock())
  clock.advance(60_000)

  expect([freshness.isReloadDue(always), freshness.isReloadDue(never)]).toEqual([true, false])
})
