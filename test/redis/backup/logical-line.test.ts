import * as fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { BATCH_BYTES, BATCH_KEYS, batchesOf, type Entry } from '../../../src/redis/backup/entries.ts'
import { entriesIn, librariesIn } from '../../../src/redis/backup/logical-file.ts'
import { encodeLine, parseLine } from '../../../src/redis/backup/logical-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'orderly-lines-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const entry: fc.Arbitrary<Entry> = fc.record({
  database: fc.nat(9_999),
  key: bytes,
  payload: bytes,
  expiresAtMs: fc.option(fc.nat(9_007_199_254_740_991), { nil: undefined }),
})

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

const isBounded = (batch: readonly number[]) =>
  batch.length === 1 || (batch.length <= BATCH_KEYS && batch.reduce((sum, size) => sum + size, 0) <= BATCH_BYTES)

const textOf = (one: Entry) => [...encodeLine({ kind: 'entry', entry: one })].join('')

describe('a line of a logical dump', () => {
  it('is read as it was written, whatever bytes it holds', () => {
    fc.assert(
      fc.property(entry, (one) => {
        const text = textOf(one)
        expect(text.indexOf('\n')).toBe(text.length - 1)
        expect(parseLine(Buffer.from(text.slice(0, -1)))).toEqual({ kind: 'entry', entry: one })
      }),
    )
  })

  it('is read as it was written where a value takes several pieces', () => {
    for (const length of [2_999_999, 3_000_000, 3_000_001, 7_000_003]) {
      const payload = Buffer.alloc(length, 'abc\u00ff', 'latin1')
      const one = { database: 0, key: Buffer.from('k'), payload, expiresAtMs: undefined }
      const read = parseLine(Buffer.from(textOf(one).slice(0, -1)))
      expect(read.kind === 'entry' && read.entry.payload.equals(payload)).toBe(true)
    }
  })

  it.each([
    '',
    '0',
    '0 -',
    '0 - a2V5',
    '-1 - a2V5 AAAA',
    '0 x a2V5 AAAA',
    '0 - a2V AAAA',
    '0 - a2V5 AA!A',
    'library AA!A',
    '0 1.5 a2V5 AAAA',
  ])('that is %j is refused', (line) => {
    expect(() => parseLine(Buffer.from(line))).toThrow(expect.objectContaining({ code: 'BACKUP_BROKEN' }))
  })
})

describe('a logical dump', () => {
  it('is read as it was written, functions first', async () => {
    const file = join(folder, 'dump.txt')
    await fc.assert(
      fc.asyncProperty(
        fc.array(bytes, { maxLength: 3 }),
        fc.array(entry, { maxLength: 20 }),
        async (codes, entries) => {
          const libraries = codes.map((code) => [...encodeLine({ kind: 'library', code })].join(''))
          writeFileSync(file, [...libraries, ...entries.map(textOf)].join(''))

          expect((await librariesIn(file)).map(({ code }) => code)).toEqual(codes)
          expect(await collect(entriesIn(file))).toEqual(entries)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('that ends within a line is refused', async () => {
    const file = join(folder, 'cut.txt')
    writeFileSync(file, '0 - a2V5 AAAA\n0 - a2V5 AA')

    await expect(collect(entriesIn(file))).rejects.toMatchObject({ code: 'BACKUP_BROKEN' })
  })
})

describe('batches', () => {
  it('hold every item in order, and neither too many nor too large ones together', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(BATCH_BYTES + 10), { maxLength: 2_000 }), async (sizes) => {
        const batches = await collect(batchesOf(sizes, (size) => size))

        expect(batches.flat()).toEqual(sizes)
        expect(batches.filter((batch) => !isBounded(batch))).toEqual([])
      }),
      { numRuns: 30 },
    )
  })
})
