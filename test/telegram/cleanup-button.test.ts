import { Buffer } from 'node:buffer'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sweepNames } from '../../src/sweeps/registry.ts'
import { confirmButton, decodeConfirmation } from '../../src/telegram/cleanup-button.ts'

const FIVE_MINUTES_MS = 5 * 60_000

const sweep = fc.constantFrom(...sweepNames)
const confirmation = fc.record({
  sweep,
  days: fc.integer({ min: 1, max: 365 }),
  // Telegram's ids have at most 52 bits.
  askedBy: fc.integer({ min: 1, max: 2 ** 52 - 1 }),
})

function dataOf(button: ReturnType<typeof confirmButton>): string {
  const [first] = button.inline_keyboard.flat()
  return first !== undefined && 'callback_data' in first ? first.callback_data : ''
}

describe('the button that confirms a cleanup', () => {
  it('always comes back as what it was made of, is valid for 5 minutes, and is small enough for Telegram', () => {
    fc.assert(
      fc.property(confirmation, fc.integer({ min: 0, max: 4_000_000_000 }), (given, seconds) => {
        const nowMs = seconds * 1_000

        const data = dataOf(confirmButton({ ...given, clock: () => nowMs }))

        expect(decodeConfirmation(data)).toEqual({ ...given, untilMs: nowMs + FIVE_MINUTES_MS })
        expect(Buffer.byteLength(data)).toBeLessThanOrEqual(64)
      }),
    )
  })

  it('comes back without days where each organization has its own', () => {
    const data = dataOf(confirmButton({ sweep: 'alerts', days: undefined, askedBy: 11, clock: () => 0 }))

    expect(decodeConfirmation(data)).toEqual({
      sweep: 'alerts',
      days: undefined,
      askedBy: 11,
      untilMs: FIVE_MINUTES_MS,
    })
  })

  it.each([
    ['c:0:11:1765224000', { sweep: 'orders', days: 0, askedBy: 11, untilMs: 1_765_224_000_000 }],
    ['c:365:11:1765224000', { sweep: 'orders', days: 365, askedBy: 11, untilMs: 1_765_224_000_000 }],
    ['ca:1:11:1765224000', { sweep: 'alerts', days: 1, askedBy: 11, untilMs: 1_765_224_000_000 }],
    ['ca:-:11:1765224000', { sweep: 'alerts', days: undefined, askedBy: 11, untilMs: 1_765_224_000_000 }],
    ['ce:365:11:1765224000', { sweep: 'errors', days: 365, askedBy: 11, untilMs: 1_765_224_000_000 }],
    ['ci:1:11:1765224000', { sweep: 'inngest', days: 1, askedBy: 11, untilMs: 1_765_224_000_000 }],
  ])('is read from %s', (data, read) => {
    expect(decodeConfirmation(data)).toEqual(read)
  })

  it.each([
    'c:366:11:1765224000',
    'ci:0:11:1765224000',
    'ci:366:11:1765224000',
    'cz:7:11:1765224000',
    'c:-:11:1765224000',
    'ci:-:11:1765224000',
    'ce:-:11:1765224000',
    'ca:--:11:1765224000',
    'ca:0:11:1765224000',
    'ce:0:11:1765224000',
    'ci:-7:11:1765224000',
    'ci::11:1765224000',
    'ci:7::1765224000',
    'ci:7:11:',
    'ci:7:11:1765224000:',
    ' ci:7:11:1765224000',
    'ci:7:11:1765224000\n',
    'md::order',
    '',
  ])('is not read from %j', (data) => {
    expect(decodeConfirmation(data)).toBeUndefined()
  })
})
