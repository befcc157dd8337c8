import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import type { Command } from '../../src/redis/transport.ts'
import { createValueReader } from '../../src/redis/values.ts'
import { fakeClock } from '../support/clock.ts'
import { failure, watched } from '../support/transport.ts'

const createRig = () => watched(createMemoryConnection({ clock: fakeClock('2025-12-08T21:00:00+01:00') }).send)
const keysOf = (count: number) => Array.from({ length: count }, (_, at) => `k${at}`)

describe('a reader of values', () => {
  it('brings the values in the order of the keys, for 1 command; null for no key and another type', async () => {
    const { send, sent, forget } = createRig()
    await send([
      ['SET', 'a', 'ü😀'],
      ['SET', 'b', ''],
      ['RPUSH', 'list', 'x'],
    ])
    forget()
    const reader = createValueReader(send)

    expect(await reader.read(['b', 'none', 'a', 'list', 'a'])).toEqual(['', null, 'ü😀', null, 'ü😀'])
    expect(sent()).toHaveLength(1)
    expect(reader.bytesRead()).toBe(12)
  })

  it('asks nothing for no keys', async () => {
    const { send, sent } = createRig()

    expect(await createValueReader(send).read([])).toEqual([])
    expect(sent()).toEqual([])
  })

  it('begins with 250 keys, and goes on with what makes 3 MB, at most twice as many as before', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 4_000_000 }), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const texts = lengths.map((length) => 'x'.repeat(length))
        const reader = createValueReader(async () => [texts])
        expect(reader.batchSize()).toBe(250)

        await reader.read(keysOf(texts.length))

        const average = lengths.reduce((sum, length) => sum + length, 0) / lengths.length
        const size = reader.batchSize()
        expect(Number.isInteger(size)).toBe(true)
        expect(size).toBeGreaterThanOrEqual(1)
        expect(size).toBeLessThanOrEqual(500)
        expect(size === 1 || size * average <= 3_000_001).toBe(true)
        expect(size === 500 || (size + 1) * average > 2_999_999).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it('reads 10 000 orders of 1.5 KB in 8 requests of at most 3 MB', async () => {
    const { send, sent, forget } = createRig()
    const keys = keysOf(10_000)
    await send(keys.map((key): Command => ['SET', key, 'x'.repeat(1_500)]))
    forget()
    const reader = createValueReader(send)

    while (keys.length > 0) await reader.read(keys.splice(0, reader.batchSize()))

    expect(sent().map((command) => command.length - 1)).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000, 2_000, 250])
    expect(reader.bytesRead()).toBe(15_000_000)
  })

  it('counts missing values as small, not as none', async () => {
    const reader = createValueReader(async ([command = ['MGET']]) => [command.slice(1).map(() => null)])

    await reader.read(keysOf(250))

    expect(reader.batchSize()).toBe(500)
    expect(reader.bytesRead()).toBe(0)
  })

  it('passes on what Redis refuses', async () => {
    const reader = createValueReader(async () => [failure('REDIS_LIMIT')])

    await expect(reader.read(['a'])).rejects.toMatchObject({ code: 'REDIS_LIMIT' })
    expect(reader.batchSize()).toBe(250)
  })

  it.each([[null], ['OK'], [7], [[7]]])('takes %j for no answer of a Redis', async (reply) => {
    await expect(createValueReader(async () => [reply]).read(['a'])).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
  })
})
