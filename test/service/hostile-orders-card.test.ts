import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cardOf, titleOf } from '../../src/telegram/card.ts'
import { decodeButton } from '../../src/telegram/buttons.ts'
import { inLine } from '../../src/telegram/text.ts'
import { findCommands } from '../../src/sandbox/bot-api/formatted-text.ts'
import { instant } from '../support/clock.ts'
import { hostileFormerOrder, hostileRows, openIsolates, outOfPlaceIn } from '../support/hostile.ts'
import { aMove, folded, storedText } from '../support/orders.ts'

const options = {
  zone: 'Europe/Berlin',
  nowMs: instant('2025-12-08T18:12:00+01:00'),
  undoMs: 600_000,
  nameOf: () => 'Anna',
}

/** Any text, and often one that tries to be more. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\u2067', '\u2069', 'ש', '\u202e', '/', '@', '\ud83d', '\u0301') }),
  fc.constantFrom(...hostileRows.map(([, text]) => text)),
)

/** As long as the fold takes one. */
const moveId = fc
  .string({ unit: fc.constantFrom('a', 'é', ':', '\0', '\ud83d', '\udc00'), minLength: 1, maxLength: 10 })
  .filter(({ length }) => length <= 10)

function expectLine(line: string): void {
  expect(outOfPlaceIn(line)).toEqual([])
  expect(line).not.toMatch(/\n|\p{M}{7}/u)
  expect(openIsolates(line)).toBe(0)
  expect(findCommands(line)).toEqual([])
}

describe('Any text', () => {
  it('is a part of a line, of about the length that it may have, and the same when it is one already', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 600 }), (text, most) => {
        const line = inLine(text, most)

        expectLine(line)
        expect(line.replaceAll(/[\u2060\u2068\u2069]/g, '').length).toBeLessThanOrEqual(most)
        expect(line === '' || line === line.trim()).toBe(true)
      }),
    )
  })

  it.each([
    'https://x.de/#/orders/7',
    'https://gitlab.com/a/-/issues/1',
    'https://x.de/a?next=/b&to=@anna',
    'see https://maps.example/@48.57,13.46,17z and ring twice',
    'anna@x.example',
    '1/2 Pizza, c/o Huber, 0851/123',
  ])('leaves what is no call as it is: %s', (text) => {
    expect(inLine(text, 512)).toBe(text)
  })

  it('is nothing where there is nothing to see', () => {
    expect(['', ' \n', '\u200b', '\u2060 \ufeff', '\u202e', '\u0000'].map((text) => inLine(text, 10))).toEqual(
      Array(6).fill(''),
    )
    expect(titleOf(folded(storedText({ name: '\u200b', source: ' ' }), 'its-id'))).toBe('its-id')
  })

  it('in any field of an order is shown in its line of the card', () => {
    const kinds = fc.constantFrom('new', 'delivered', 'constructor', '__proto__', 'toString', 'x\ny')
    fc.assert(
      fc.property(anyText, anyText, kinds, (text, other, status) => {
        const order = folded(storedText({ ...hostileFormerOrder(text), customer: { name: other }, status }))

        const { text: shown } = cardOf(order, options)

        expect(shown.length).toBeLessThanOrEqual(4_096)
        expect(outOfPlaceIn(shown)).toEqual([])
        expect(shown).not.toContain('native code')
        const lines = shown.endsWith('…') ? shown.split('\n').slice(0, -1) : shown.split('\n')
        lines.forEach(expectLine)
        expect(lines.filter((line) => !/^(?:🆕|✅|▫️|🕐|👤|•|💶|📝) ./u.test(line))).toEqual([])
        expectLine(titleOf(order))
      }),
    )
  })

  it('as the id of a move makes a button that names the same move, or none', () => {
    fc.assert(
      fc.property(moveId, (id) => {
        const move = { ...aMove('x', 'delivered', { at: '2025-12-08T18:10:00.000+01:00' }), id }
        const order = folded(storedText({ status: 'new' }, move))

        const buttons = cardOf(order, options).keyboard.inline_keyboard.flat()

        for (const button of buttons) {
          const carried = 'callback_data' in button ? button.callback_data : ''
          expect(carried).not.toMatch(/\p{Cs}/u)
          expect(decodeButton(carried)).toEqual({ kind: 'undo', id: 'a', undo: id })
        }
      }),
    )
  })
})
