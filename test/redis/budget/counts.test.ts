import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBoot, encodeBoot } from '../../../src/redis/budget/boot-field.ts'
import { billedOf, type Counts, sumCounts } from '../../../src/redis/budget/counts.ts'

const anyDate = fc.integer({ min: 1, max: 30 }).map((day) => `2026-11-${String(day).padStart(2, '0')}`)
const anyPurpose = fc.constantFrom('orders', 'sweep:orders', 'schedule', 'usage', 'redis-check', 'other')
const anyCommand = fc.constantFrom('GET', 'SET', 'APPEND', 'SCAN', 'MGET', 'JSON.GET', 'OTHER')
const anyTimes = fc.integer({ min: 1, max: 1e9 })
const anyDay = fc.record({
  commands: fc.dictionary(anyPurpose, fc.dictionary(anyCommand, anyTimes, { minKeys: 1, noNullPrototype: true }), {
    noNullPrototype: true,
  }),
  orders: fc.nat(),
  sweepBytes: fc.nat(),
})
const anyCounts: fc.Arbitrary<Counts> = fc.dictionary(anyDate, anyDay, { noNullPrototype: true })

const day = (commands: Counts[string]['commands'], orders = 0, sweepBytes = 0) => ({ commands, orders, sweepBytes })

describe('counts', () => {
  it('add up by day, purpose and command', () => {
    const one = { '2026-11-01': day({ orders: { SET: 2, GET: 1 } }, 2, 10) }
    const other = { '2026-11-01': day({ orders: { SET: 3 }, usage: { HSET: 1 } }, 1, 5), '2026-11-02': day({}, 1) }

    expect(sumCounts([one, other])).toEqual({
      '2026-11-01': day({ orders: { SET: 5, GET: 1 }, usage: { HSET: 1 } }, 3, 15),
      '2026-11-02': day({}, 1),
    })
  })

  it('add up to the same in any order and in any groups', () => {
    fc.assert(
      fc.property(fc.array(anyCounts, { maxLength: 6 }), fc.nat(6), (all, at) => {
        const sum = sumCounts(all)

        expect(sumCounts(all.toReversed())).toEqual(sum)
        expect(sumCounts([sumCounts(all.slice(0, at)), sumCounts(all.slice(at))])).toEqual(sum)
      }),
    )
  })

  it('are billed for every purpose and command of a day', () => {
    expect(billedOf(day({ orders: { SET: 2, GET: 1 }, usage: { HSET: 4 } }, 100, 1_000))).toBe(7)
    expect(billedOf(day({}))).toBe(0)
  })

  it.each([
    ['a purpose that is none', { 'Über uns': { GET: 1 } }, { other: { GET: 1 } }],
    ['a purpose that every object has', { constructor: { GET: 1 } }, { other: { GET: 1 } }],
    ['a command that is none', { orders: { 'get <b>': 1 } }, { orders: { OTHER: 1 } }],
    ['several of them', { a_b: { GET: 1 }, A: { GET: 2, $: 3 } }, { other: { GET: 3, OTHER: 3 } }],
  ])('of %s are counted as other', (_, commands, counted) => {
    expect(sumCounts([{ '2026-11-01': day(commands) }])).toEqual({ '2026-11-01': day(counted) })
  })
})

describe("the text of a boot's counts", () => {
  it('is read as what was written', () => {
    fc.assert(
      fc.property(anyCounts, fc.nat(), (days, fromMs) => {
        expect(decodeBoot(encodeBoot({ fromMs, days }))).toEqual({ fromMs, days })
      }),
    )
  })

  it('is the same for the same counts, in whatever order they were counted', () => {
    const [one, other] = [{ '2026-11-02': day({ b: { Y: 1 } }) }, { '2026-11-01': day({ b: { X: 2 }, a: { X: 1 } }) }]

    expect(encodeBoot({ fromMs: 1, days: { ...one, ...other } })).toBe(
      encodeBoot({ fromMs: 1, days: sumCounts([other, one]) }),
    )
  })

  it.each([
    ['no JSON', 'lots of text'],
    ['a number', '12'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no rows', '{"from":1,"of":[]}'],
    ['no beginning', '{"of":[],"days":{}}'],
    ['a beginning in words', '{"from":"1","of":[],"days":{}}'],
    ['a count below 0', '{"from":1,"of":["orders GET"],"days":{"2026-11-01":[0,0,-1]}}'],
    ['half a command', '{"from":1,"of":["orders GET"],"days":{"2026-11-01":[0,0,0.5]}}'],
    ['a huge count', '{"from":1,"of":["orders GET"],"days":{"2026-11-01":[0,0,1e15]}}'],
    ['infinity', '{"from":1,"of":["orders GET"],"days":{"2026-11-01":[0,0,1e999]}}'],
    ['a count in words', '{"from":1,"of":["orders GET"],"days":{"2026-11-01":[0,0,"7"]}}'],
    ['a day that is none', '{"from":1,"of":[],"days":{"constructor":[0,0]}}'],
    ['a column that is no text', '{"from":1,"of":[7],"days":{}}'],
    ['too many columns', JSON.stringify({ from: 1, of: Array.from({ length: 501 }, () => 'a B'), days: {} })],
    ['ten megabytes', `{"from":1,"of":[],"days":{}}${' '.repeat(10_000_000)}`],
  ])('counts as nothing when it is %s', (_, text) => {
    expect(decodeBoot(text)).toBeUndefined()
  })

  it('never throws, and never tells a count that is none', () => {
    const cell = fc.oneof(fc.jsonValue(), fc.integer(), fc.double())
    const nearly = fc.record({
      from: fc.oneof(fc.nat(), fc.jsonValue()),
      of: fc.array(
        fc.oneof(fc.string(), fc.constantFrom('orders GET', '__proto__ GET', 'constructor GET', 'a toString')),
      ),
      days: fc.dictionary(fc.oneof(anyDate, fc.string()), fc.array(fc.oneof(fc.nat(), cell))),
    })
    fc.assert(
      fc.property(
        fc.oneof(
          nearly.map((value) => JSON.stringify(value)),
          fc.json(),
          fc.string(),
        ),
        (text) => {
          const decoded = decodeBoot(text)

          for (const counted of Object.values(decoded?.days ?? {})) {
            expect(Number.isSafeInteger(billedOf(counted))).toBe(true)
            expect(Math.min(billedOf(counted), counted.orders, counted.sweepBytes)).toBeGreaterThanOrEqual(0)
          }
          expect(({} as Record<string, unknown>)['GET']).toBeUndefined()
        },
      ),
      { numRuns: 500 },
    )
  })

  it('ignores columns beyond its rows, and cells beyond its columns', () => {
    const text = '{"from":1,"of":["orders GET","orders SET"],"days":{"2026-11-01":[1,2,3],"2026-11-02":[1,2,3,4,5]}}'

    expect(decodeBoot(text)?.days).toEqual({
      '2026-11-01': day({ orders: { GET: 3 } }, 1, 2),
      '2026-11-02': day({ orders: { GET: 3, SET: 4 } }, 1, 2),
    })
  })

  it('of a month with every usual command is short', () => {
    const usual = {
      orders: { APPEND: 180, GET: 9, MGET: 2, SCAN: 3, SET: 47 },
      schedule: { EVAL: 4, GET: 8, SET: 6 },
      'sweep:orders': { DEL: 1, EVAL: 1, EXPIRE: 1, GET: 1, MGET: 2, SCAN: 2, SET: 1, UNLINK: 1, XADD: 1 },
      usage: { EXPIRE: 1, HGETALL: 2, HSET: 96, HSETNX: 1 },
    }
    const dates = Array.from({ length: 30 }, (_, at) => `2026-11-${String(at + 1).padStart(2, '0')}`)
    const days = Object.fromEntries(dates.map((date) => [date, day(usual, 47, 400_000)]))
    const firstDay = { [dates[0] ?? '']: day(usual, 47, 400_000) }

    expect(encodeBoot({ fromMs: 1_800_000_000_000, days }).length).toBeLessThan(3_000)
    expect(encodeBoot({ fromMs: 1_800_000_000_000, days: firstDay }).length).toBeLessThan(520)
  })
})
