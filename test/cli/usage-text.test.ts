import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { usageText } from '../../src/cli/usage-text.ts'
import type { BudgetReport, DayUsage } from '../../src/redis/budget/budget-report.ts'
import { headline, subline, usageFacts } from '../../src/redis/budget/sentences.ts'
import { aBudgetReport, anUncertainReport } from '../support/budget-report.ts'
import { steeringIn } from '../support/cli.ts'
import { hostileRows } from '../support/hostile.ts'

interface Given {
  readonly columns?: number
  readonly isColoured?: boolean
}

const textOf = (report: BudgetReport, { columns = 80, isColoured = false }: Given = {}) =>
  usageText(report, { columns, isColoured })

/** The lines of the part of a text that begins with a heading, without it. */
const linesUnder = (text: string, heading: string): readonly string[] =>
  text
    .split('\n\n')
    .find((part) => part.startsWith(heading))
    ?.split('\n')
    .slice(1) ?? []

const dayLines = (text: string) => linesUnder(text, 'Billed commands a day')

const aDay = (given: Partial<DayUsage> = {}): DayUsage => ({
  date: '2025-11-01',
  own: 0,
  others: 0,
  orders: 0,
  cleanups: 0,
  ...given,
})

const withDays = (...days: readonly Partial<DayUsage>[]) =>
  aBudgetReport({ days: days.map((day, at) => aDay({ date: `2025-11-${String(at + 1).padStart(2, '0')}`, ...day })) })

const length = (text: string, sign: string) => text.split(sign).length - 1

describe('the text of the usage', () => {
  it('begins with the sentence and the forecast, and ends with every further fact', () => {
    const report = aBudgetReport()

    const parts = textOf(report).split('\n\n')

    expect(parts[0]).toBe(`${headline(report)}\n${subline(report)}`)
    expect(parts.at(-1)).toBe(usageFacts(report).join('\n'))
  })

  it('draws a day as long as what was spent on it, by Orderly and by others', () => {
    const lines = dayLines(textOf(withDays({ own: 600 }, { own: 200, others: 100 }, {}, { own: 1, others: 0.4 })))

    const bars = lines.map((line) => [length(line, '█'), length(line, '░')])
    expect(bars).toEqual([
      [60, 0],
      [20, 10],
      [0, 0],
      [1, 0],
    ])
    expect(lines.map((line) => line.replaceAll(/[█░ ]+/g, ' '))).toEqual([
      ' 1 Nov 600',
      ' 2 Nov 300',
      ' 3 Nov 0',
      ' 4 Nov 1',
    ])
  })

  it('marks the days on which a cleanup ran, and no other', () => {
    const lines = dayLines(textOf(withDays({ own: 5 }, { cleanups: 1 }, { own: 7, cleanups: 3 })))

    expect(lines.map((line) => /(?:\d )?cleanups?$/.exec(line)?.[0])).toEqual([undefined, 'cleanup', '3 cleanups'])
  })

  it.each([
    ['says nothing of others where there are none', withDays({ own: 5 }), 'Billed commands a day:'],
    ['explains what others are', withDays({ own: 5, others: 5 }), 'Billed commands a day (█ Orderly, ░ others):'],
    [
      'says from which day on is counted',
      aBudgetReport({ days: [aDay({ date: '2025-11-12', own: 5 })] }),
      'Billed commands a day, counted from 12 Nov on:',
    ],
  ])('%s', (_, report, heading) => {
    expect(textOf(report).split('\n')).toContain(heading)
  })

  it('leaves bars out where there is no room for them, and keeps the figures', () => {
    const report = withDays({ own: 123_456, others: 5, cleanups: 1 }, { own: 5 })

    expect(dayLines(textOf(report, { columns: 30 }))).toEqual(['   1 Nov  123\u202f461  cleanup', '   2 Nov        5'])
    expect(textOf(report, { columns: 30 })).not.toMatch(/[█░]/)
  })

  it('is never wider than the terminal where it draws, and has a bar for every day with commands', () => {
    const day = fc.record({
      own: fc.oneof(fc.nat(20), fc.nat(5_000_000)),
      others: fc.double({ min: 0, max: 1_000_000, noNaN: true }),
      cleanups: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(100)),
    })
    fc.assert(
      fc.property(
        fc.array(day, { minLength: 1, maxLength: 31 }),
        fc.integer({ min: 44, max: 300 }),
        (days, columns) => {
          const lines = dayLines(textOf(withDays(...days), { columns }))

          expect(lines).toHaveLength(days.length)
          for (const [at, line] of lines.entries()) {
            const spent = (days[at]?.own ?? 0) + (days[at]?.others ?? 0)
            expect(line.length).toBeLessThanOrEqual(columns)
            expect(/[█░]/.test(line)).toBe(spent > 0)
          }
        },
      ),
    )
  })

  it('tells purposes and commands, numbers under each other', () => {
    const text = textOf(aBudgetReport())

    expect(linesUnder(text, 'By purpose')).toEqual([
      '  orders        339\u202f000',
      '  sweep:orders      600',
      '  usage             400',
    ])
    expect(linesUnder(text, 'By command')).toEqual(['  APPEND  330\u202f000', '  SET      10\u202f000'])
  })

  it('names the twelve largest of many, and tells what the others come to', () => {
    const purposes = Array.from({ length: 15 }, (_, at) => ({ name: `sweep:${at}`, commands: 100 - at }))

    const lines = linesUnder(textOf(aBudgetReport({ purposes })), 'By purpose')

    expect(lines).toHaveLength(13)
    expect(lines.at(-1)).toBe(`  and 3 others  ${88 + 87 + 86}`)
  })

  it.each(hostileRows)('shows a purpose named %s as text', (_, name) => {
    const text = textOf(aBudgetReport({ purposes: [{ name, commands: 3 }] }))

    expect(steeringIn(text)).toEqual([])
    expect(linesUnder(text, 'By purpose')).toHaveLength(1)
  })

  it('has no part for what nobody knows', () => {
    const text = textOf(anUncertainReport({ days: [], purposes: [], commands: [] }))

    expect(text).not.toMatch(/Billed commands a day|By purpose|By command|null|undefined|NaN/)
  })

  it.each([
    ['plain', { share: 0.79 }, ''],
    ['yellow from 80 % on', { share: 0.8 }, '\u001b[33m'],
    ['red from 95 % on', { share: 0.95 }, '\u001b[31m'],
    ['red at the limit', { share: 0.5, isLimitReached: true }, '\u001b[31m'],
  ])('is %s where colours are wanted, else plain', (_, given, colour) => {
    const report = aBudgetReport(given)

    expect(textOf(report, { isColoured: true }).startsWith(`${colour}${headline(report)}`)).toBe(true)
    expect(textOf(report)).not.toContain('\u001b')
  })
})
