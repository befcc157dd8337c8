import { Resvg } from '@resvg/resvg-js'
import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { isWithin, overlaps } from '../../src/charts/box.ts'
import { themes } from '../../src/charts/theme.ts'
import { usageChart, type UsageChartOptions, type UsageFigures } from '../../src/charts/usage-chart.ts'
import type { BudgetReport } from '../../src/redis/budget/budget-report.ts'
import { fontFiles } from '../support/inter.ts'
import { elementsOf, overlapsOf, placesOf, textsOf } from '../support/svg.ts'
import { anyFigures, usageFigures } from '../support/usage-figures.ts'

const CANVAS = { left: 0, right: 800, top: 0, bottom: 556 }
const DAYS = Array.from({ length: 20 }, (_, day) => 15_000 + 100 * day)

const draw = (
  figures: UsageFigures,
  { title = 'Title', subtitle = 'Subtitle', theme = themes.light }: Partial<UsageChartOptions> = {},
) => usageChart(figures, { title, subtitle, theme })

const wordsOf = (svg: string) => textsOf(svg).map(({ text }) => text)

/** The room of today's mark and of the crossing's. */
const marksOf = (svg: string) =>
  elementsOf(svg, 'circle').map(({ cx, cy, r }) => ({
    left: Number(cx) - Number(r),
    right: Number(cx) + Number(r),
    top: Number(cy) - Number(r),
    bottom: Number(cy) + Number(r),
  }))

/** How many marks there are beside today's. */
const rings = (figures: UsageFigures) => elementsOf(draw(figures), 'circle').length - 1

/** How many shapes have a colour. */
const countOf = (svg: string, name: string, fill: string) =>
  elementsOf(svg, name).filter((one) => one['fill'] === fill).length

describe('the picture of the month', () => {
  it('takes the report of the budget as it is', () => {
    expectTypeOf<BudgetReport>().toExtend<UsageFigures>()
  })

  it('says the sentences, the limit, today, the end and the days', () => {
    const svg = draw(usageFigures({ now: 20, own: DAYS, cleanups: [8, 11] }), {
      title: 'Much used',
      subtitle: 'Day 20',
    })

    expect(wordsOf(svg)).toEqual(
      expect.arrayContaining(['Much used', 'Day 20', 'Monthly limit 500K', 'today 319K', '479K', '1 Nov', '30']),
    )
  })

  it('never lets texts cover each other or anything leave the canvas, whatever the figures', () => {
    fc.assert(
      fc.property(anyFigures, (figures) => {
        const svg = draw(figures)
        const texts = textsOf(svg)

        expect(overlapsOf(texts)).toEqual([])
        expect(texts.filter(({ box }) => !isWithin(box, CANVAS))).toEqual([])
        expect(texts.filter(({ text }) => text.startsWith('today '))).toHaveLength(1)
        expect(texts.filter(({ text }) => text.startsWith('Monthly limit '))).toHaveLength(1)
        expect(texts.filter(({ box }) => marksOf(svg).some((mark) => overlaps(box, mark)))).toEqual([])
        expect(
          placesOf(svg).filter(([x, y]) => !(x >= 0 && x <= CANVAS.right && y >= 0 && y <= CANVAS.bottom)),
        ).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('never lets its labels cover each other or a mark on the last day, when all is close together', () => {
    const count = fc.integer({ min: 400_000, max: 600_000 })
    fc.assert(
      fc.property(fc.double({ min: 29, max: 30, noNaN: true }), count, count, (now, used, limit) => {
        const own = Array.from({ length: 30 }, () => used / 30)
        const svg = draw(usageFigures({ now, own, used, limit }))
        const texts = textsOf(svg)

        expect(overlapsOf(texts)).toEqual([])
        expect(texts.filter(({ box }) => !isWithin(box, CANVAS))).toEqual([])
        expect(texts.filter(({ box }) => marksOf(svg).some((mark) => overlaps(box, mark)))).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('is drawn within the canvas by the renderer too, letters included', () => {
    for (const figures of fc.sample(anyFigures, { numRuns: 12, seed: 10 })) {
      const withoutGround = draw(figures, { title: 'W'.repeat(90), subtitle: 'Wide '.repeat(60) }).replace(
        /<rect[^>]*>/,
        '',
      )
      const box = new Resvg(withoutGround, { font: { loadSystemFonts: false, fontFiles } }).getBBox()

      expect(box?.x).toBeGreaterThanOrEqual(0)
      expect(box?.y).toBeGreaterThanOrEqual(0)
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(CANVAS.right)
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(CANVAS.bottom)
    }
  })

  it('stays in order with figures that are no figures', () => {
    const figures = usageFigures({ now: 3.5, own: [10, 20, 30, 40] })
    const broken = fc.constantFrom(Number.NaN, Infinity, -Infinity, -1, 1e300, 0)
    fc.assert(
      fc.property(
        fc.array(broken, { minLength: 9, maxLength: 9 }),
        ([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0]) => {
          const svg = draw({
            month: { ...figures.month, length: a, startMs: b },
            atMs: c,
            limit: d,
            used: e,
            days: figures.days.map((day) => ({ ...day, own: f, others: g })),
            forecast: { end: h, low: i, high: a, limitAtMs: b, isEarly: false },
          })

          expect(svg).not.toMatch(/NaN|Infinity/)
          expect(overlapsOf(textsOf(svg))).toEqual([])
        },
      ),
    )
  })

  it('shows hostile sentences as text, without characters that steer', () => {
    const svg = draw(usageFigures({ now: 1, own: [1] }), {
      title: '<script>alert("1")</script>&amp;\u202e\u0007',
      subtitle: `' onload='x`,
    })

    expect(wordsOf(svg)).toEqual(expect.arrayContaining(['<script>alert("1")</script>&amp;', `' onload='x`]))
    expect(svg).not.toContain('<script')
    expect(svg).not.toMatch(/\p{C}/u)
  })

  it('has a bar for each known day that cost something, and strokes for days that nobody counted', () => {
    const { own, unknown } = { own: themes.light.own, unknown: 'url(#not-counted)' }
    const late = draw(usageFigures({ now: 12.5, knownFrom: 10, own: [5, 0, 7] }))
    const whole = draw(usageFigures({ now: 2.5, own: [5, 0, 7] }))

    expect(countOf(late, 'rect', own)).toBe(2)
    expect(countOf(late, 'rect', unknown)).toBe(2)
    expect(wordsOf(late)).toContain('not counted')
    expect(countOf(whole, 'rect', own)).toBe(2)
    expect(countOf(whole, 'rect', unknown)).toBe(0)
    expect(wordsOf(whole)).not.toContain('not counted')
  })

  it("tells others' commands apart only where there are any", () => {
    const shared = draw(usageFigures({ now: 2.5, own: [5, 6, 7], others: [0, 3, 0] }))
    const alone = draw(usageFigures({ now: 2.5, own: [5, 6, 7] }))

    expect(countOf(shared, 'rect', themes.light.others)).toBe(2)
    expect(wordsOf(shared)).toContain('not by Orderly')
    expect(countOf(alone, 'rect', themes.light.others)).toBe(0)
    expect(wordsOf(alone)).not.toContain('not by Orderly')
  })

  it('marks the days on which a cleanup ran, and says so only then', () => {
    const swept = draw(usageFigures({ now: 12.5, own: DAYS.slice(0, 13), cleanups: [8, 11] }))
    const never = draw(usageFigures({ now: 12.5, own: DAYS.slice(0, 13) }))

    // One of them explains the others.
    expect(countOf(swept, 'polygon', themes.light.cleanup)).toBe(3)
    expect(wordsOf(swept)).toContain('cleanup ran')
    expect(countOf(never, 'polygon', themes.light.cleanup)).toBe(0)
    expect(wordsOf(never)).not.toContain('cleanup ran')
  })

  it('has no range, no end and no dots in the last hour', () => {
    const own = Array.from({ length: 30 }, () => 10_000)
    const last = draw(usageFigures({ now: 29.97, own }))
    const before = draw(usageFigures({ now: 29.95, own }))

    expect(countOf(before, 'polygon', themes.light.band)).toBe(1)
    expect(countOf(last, 'polygon', themes.light.band)).toBe(0)
    expect(elementsOf(last, 'polyline')).toHaveLength(elementsOf(before, 'polyline').length - 1)
  })

  it('cuts a range off that is much wider than all else, at its own slope', () => {
    const forecast = { end: 90_000, low: 10_000, high: 5_000_000 }
    const svg = draw(usageFigures({ now: 3, own: [3_000, 3_000, 3_000], forecast }))
    const [, corner = '', end = ''] = elementsOf(svg, 'polygon')[0]?.['points']?.split(' ') ?? []
    const [x, y] = corner.split(',').map(Number)

    expect(y).toBe(122)
    expect(x).toBeLessThan(300)
    expect(end).toBe('722,122')
  })

  it('rings the crossing, ahead and behind', () => {
    expect(rings(usageFigures({ now: 20, own: DAYS }))).toBe(0)
    expect(rings(usageFigures({ now: 20, own: DAYS, limit: 400_000 }))).toBe(1)
    expect(rings(usageFigures({ now: 20, own: DAYS, limit: 200_000 }))).toBe(1)
  })

  it.each(['light', 'dark'] as const)('can be read in the %s theme', (name) => {
    const theme = themes[name]
    const svg = draw(usageFigures({ now: 20, own: DAYS, others: DAYS, cleanups: [3], limit: 700_000 }), { theme })
    const colours = Object.values(theme)

    for (const found of svg.match(/#[0-9a-f]{6}\b/g) ?? []) expect(colours).toContain(found)
    for (const { fill } of textsOf(svg)) expect(contrast(fill, theme.background)).toBeGreaterThanOrEqual(4.5)
    for (const part of ['line', 'limit', 'own', 'cleanup'] as const) {
      expect(contrast(theme[part], theme.background)).toBeGreaterThanOrEqual(3)
    }
  })
})

/** How bright a colour is as WCAG 2 defines it. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** The contrast of two colours as WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}
