import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RedisError } from '../../../src/errors.ts'
import { refusal } from '../../../src/redis/failures.ts'
import { BILLED_SAMPLE, OWN_SAMPLE, sampleFamilies, type SampleSize } from '../../../src/redis/status/families.ts'
import { familyOf } from '../../../src/redis/status/family-name.ts'
import { played, type Answers } from './rig.ts'

const PREFIXES = ['bull', 'my:queues']

/** The keys of a server in pages of 1 000, each of as many bytes as `weigh` says. */
const keyspace = (keys: readonly string[], weigh: (key: string) => number): Answers => ({
  SCAN: ([, cursor]) => {
    const from = Number(cursor)
    const next = from + 1_000 < keys.length ? from + 1_000 : 0
    return [String(next), keys.slice(from, from + 1_000)]
  },
  MEMORY: ([, , key]) => weigh(String(key)),
})

const sample = async (answers: Answers, size: SampleSize, totalKeys: number | null = null) => {
  const { send, meter } = played(answers)
  const { families, unweighed } = await sampleFamilies(meter.open('redis-check').send, {
    ...size,
    totalKeys,
    queuePrefixes: PREFIXES,
  })
  return { send, families, unweighed, commands: meter.cost().commands }
}

const times = (count: number, make: (at: number) => string) => Array.from({ length: count }, (_, at) => make(at))

const sign = fc.constantFrom('a', '7', ':', '@', '.', ' ', 'ä', '\u0007', '\u202e', '\ud83d\ude00', '\ud800')
const oddText = fc.oneof(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: sign }))

describe('the family of a key', () => {
  it.each([
    ['order:01KEY', 'order'],
    ['orderly:lock:orders', 'orderly'],
    ['{estate}:metadata:x', '{estate}'],
    ['bull:mails:17', 'bull:mails'],
    ['bull:mails', 'bull:mails'],
    ['bull:mails:17:logs', 'bull:mails'],
    ['bull:', 'bull:(other names)'],
    ['my:queues:mails:17', 'my:queues:mails'],
    ['bullet:1', 'bullet'],
    ['user17:cart', 'user#'],
    ['491701234567:cart', '#'],
    ['01ARZ3NDEKTSV4RRFFQ69G5FAV:x', '#'],
    ['6f1e1b1a-0000-4000-8000-00000000beef:x', '#'],
    ['заказ:1', 'заказ'],
    ['no-colon-at-all', '(no colon)'],
    ['', '(no colon)'],
    [':x', '(other names)'],
    ['anna@example.com:cart', '(other names)'],
    ['Anna Huber:cart', '(other names)'],
    ['\u001b[2J:x', '(other names)'],
    [`${'x'.repeat(41)}:1`, '(other names)'],
  ])('%j is %s', (key, family) => {
    expect(familyOf(key, PREFIXES)).toBe(family)
  })

  it('never shows a number, an address or a control character, and is short', () => {
    fc.assert(
      fc.property(oddText, (key) => {
        const family = familyOf(key, PREFIXES)

        expect(family).not.toMatch(/\d|@|[\p{Cc}\p{Cf}]/u)
        expect(family.length).toBeLessThanOrEqual(100)
      }),
    )
  })
})

const weighOrders: Answers[string] = ([, , key]) =>
  String(key).startsWith('order') ? 50 : refusal('MEMORY', 'NOPERM this user has no permissions')

const weighOdd = ([, , key]: readonly (string | number)[]) => {
  if (key === 'a:gone') return null
  return key === 'a:theirs' ? refusal('MEMORY', 'NOPERM') : 70
}

describe('a sample of the keys', () => {
  it('of a small store counts each key and weighs each family, the heaviest first', async () => {
    const keys = [...times(30, (at) => `light:${at}`), ...times(3, (at) => `heavy:${at}`)]

    const { families, unweighed, commands } = await sample(
      keyspace(keys, (key) => (key.startsWith('heavy') ? 1_000 : 50)),
      OWN_SAMPLE,
    )

    expect(families).toEqual({
      largest: [
        { name: 'heavy', keys: 3, bytes: 3_000 },
        { name: 'light', keys: 30, bytes: 1_500 },
      ],
      others: 0,
      isEstimate: false,
    })
    expect(unweighed).toBe(0)
    expect(commands).toEqual({ MEMORY: 33, SCAN: 1 })
  })

  it('of a large store stops after 20 pages and 500 weighings, and is extrapolated to all keys', async () => {
    const keys = times(100_000, (at) => (at % 4 === 0 ? `a:${at}` : `b:${at}`))

    const { families, commands } = await sample(
      keyspace(keys, () => 80),
      OWN_SAMPLE,
      100_000,
    )

    expect(families).toEqual({
      largest: [
        { name: 'b', keys: 75_000, bytes: 6_000_000 },
        { name: 'a', keys: 25_000, bytes: 2_000_000 },
      ],
      others: 0,
      isEstimate: true,
    })
    expect(commands).toEqual({ MEMORY: 500, SCAN: 20 })
  })

  it('where commands are billed costs 51 of them at most, however large the store', async () => {
    const { families, commands } = await sample(
      keyspace(
        times(50_000, (at) => `a:${at}`),
        () => 80,
      ),
      BILLED_SAMPLE,
      50_000,
    )

    expect(families.largest).toEqual([{ name: 'a', keys: 50_000, bytes: 4_000_000 }])
    expect(commands).toEqual({ MEMORY: 50, SCAN: 1 })
  })

  it('shows 12 families and counts the others', async () => {
    const { families } = await sample(
      keyspace(
        times(26, (at) => `${'x'.repeat(at + 1)}:1`),
        () => 1,
      ),
      OWN_SAMPLE,
    )

    expect([families.largest.length, families.others]).toEqual([12, 14])
  })

  it('gives up after a batch where MEMORY is refused, and counts keys all the same', async () => {
    const keys = [...times(300, (at) => `a:${at}`), 'b:1']
    const { families, unweighed, commands } = await sample({ SCAN: () => ['0', keys] }, OWN_SAMPLE)

    expect(families.largest).toEqual([
      { name: 'a', keys: 300, bytes: null },
      { name: 'b', keys: 1, bytes: null },
    ])
    expect(unweighed).toBe(2)
    expect(commands).toEqual({ MEMORY: 100, SCAN: 1 })
  })

  it('counts families among the refused ones that it did not ask for', async () => {
    const keys = times(150, (at) => `${'x'.repeat((at % 40) + 1)}${'y'.repeat(Math.floor(at / 40))}:1`)

    const { families, unweighed } = await sample({ SCAN: () => ['0', keys] }, OWN_SAMPLE)

    expect(unweighed).toBeGreaterThan(100)
    expect(unweighed).toBe(families.largest.length + families.others)
  })

  it('weighs the families that the user may see though the first key is not theirs, and counts the others', async () => {
    const keys = [...times(300, (at) => `bull:mails:${at}`), ...times(3, (at) => `order:${at}`)]

    const { families, unweighed } = await sample({ SCAN: () => ['0', keys], MEMORY: weighOrders }, OWN_SAMPLE)

    expect(families.largest).toEqual([
      { name: 'order', keys: 3, bytes: 150 },
      { name: 'bull:mails', keys: 300, bytes: null },
    ])
    expect(unweighed).toBe(1)
  })

  it('leaves out keys that went meanwhile, that the user may not see, and whose name is no text', async () => {
    const keys = ['a:1', 'a:\ufffd', 'a:gone', 'a:theirs', 'a:2']

    const { families, commands } = await sample({ SCAN: () => ['0', keys], MEMORY: weighOdd }, OWN_SAMPLE)

    expect(families.largest).toEqual([{ name: 'a', keys: 5, bytes: 350 }])
    expect(commands['MEMORY']).toBe(4)
  })

  it('of an empty store is empty', async () => {
    const { families, commands } = await sample(
      keyspace([], () => 1),
      OWN_SAMPLE,
    )

    expect(families).toEqual({ largest: [], others: 0, isEstimate: false })
    expect(commands).toEqual({ SCAN: 1 })
  })

  it('fails where keys may not be listed, and where the answers end', async () => {
    await expect(sample({}, OWN_SAMPLE)).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    const cut = new RedisError('REDIS_LIMIT', 'The limit is reached.')
    await expect(sample({ SCAN: () => ['0', ['a:1']], MEMORY: () => cut }, OWN_SAMPLE)).rejects.toBe(cut)
  })
})
