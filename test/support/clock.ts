import type { Clock } from '../../src/clock.ts'

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  advance(ms: number): void
  /** Puts the clock to an ISO instant, also back. */
  moveTo(iso: string): void
}

/** A clock that stands at an ISO instant with an offset. */
export function fakeClock(iso: string): FakeClock {
  let nowMs = instant(iso)
  return Object.assign(() => nowMs, {
    advance: (ms: number) => {
      nowMs += ms
    },
    moveTo: (later: string) => {
      nowMs = instant(later)
    },
  })
}

/** Epoch milliseconds of an ISO instant, which must have an offset: no test depends on the zone of the process. */
export function instant(iso: string): number {
  const ms = Date.parse(iso)
  if (Number.isNaN(ms) || !/(?:Z|[+-]\d{2}:\d{2})$/.test(iso)) throw new Error(`${iso} is no instant with an offset.`)
  return ms
}
