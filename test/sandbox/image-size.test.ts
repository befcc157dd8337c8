import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeImageSize } from '../../src/sandbox/bot-api/image-size.ts'
import { gif, jpeg, png, webp } from '../support/images.ts'

const images: readonly (readonly [what: string, bytes: Buffer, mimeType: string])[] = [
  ['a PNG', png(800, 600), 'image/png'],
  ['a GIF', gif(800, 600), 'image/gif'],
  ['a JPEG', jpeg(800, 600), 'image/jpeg'],
  ['a lossy WebP', webp('VP8 ', 800, 600), 'image/webp'],
  ['a lossless WebP', webp('VP8L', 800, 600), 'image/webp'],
  ['an extended WebP', webp('VP8X', 800, 600), 'image/webp'],
]

describe('The size of an image', () => {
  it.each(images)('is read from %s', (_what, bytes, mimeType) => {
    expect(decodeImageSize(bytes)).toMatchObject({ mimeType, width: 800, height: 600 })
  })

  it('is found behind filling and behind markers without a length', () => {
    const whole = jpeg(800, 600, [])
    const padded = Buffer.concat([whole.subarray(0, 2), Buffer.from('ff01ffd0ffffff', 'hex'), whole.subarray(2)])

    expect(decodeImageSize(padded)).toMatchObject({ width: 800, height: 600 })
  })

  it('takes 16 bits for a JPEG and 32 for a PNG', () => {
    expect(decodeImageSize(jpeg(65_535, 1))).toMatchObject({ width: 65_535, height: 1 })
    expect(decodeImageSize(png(0xffff_ffff, 1))).toMatchObject({ width: 0xffff_ffff, height: 1 })
  })

  it.each(images)('is the same or undefined for %s that is cut', (_what, bytes) => {
    const sizes = Array.from(bytes, (_byte, length) => decodeImageSize(bytes.subarray(0, length)))

    expect(new Set(sizes.map((size) => size && `${size.width}x${size.height}`))).toEqual(
      new Set([undefined, '800x600']),
    )
  })

  it.each([
    ['a JPEG that ends before its frame', 'ffd8ffd9ffc0001108025803200300000000'],
    ['a JPEG whose picture begins before its frame', 'ffd8ffda0002ffc0001108025803200300000000'],
    ['a JPEG with a segment that reaches beyond the end', 'ffd8ffe0ffff00000000000000000000'],
    ['a JPEG with bytes between its segments', 'ffd8ffe0000200ffc00011080258032003000000'],
    ['an SVG', Buffer.from('<svg width="8" height="8">').toString('hex')],
  ])('is undefined for %s', (_what, hex) => {
    expect(decodeImageSize(Buffer.from(hex, 'hex'))).toBeUndefined()
  })

  it('never throws, whatever follows the first bytes', () => {
    const beginnings = fc.constantFrom(...images.map(([, bytes]) => bytes))
    const hostile = fc
      .tuple(beginnings, fc.nat(30), fc.uint8Array({ maxLength: 200 }))
      .map(([beginning, length, rest]) => Buffer.concat([beginning.subarray(0, length), rest]))

    fc.assert(
      fc.property(hostile, (bytes) => {
        expect(() => decodeImageSize(bytes)).not.toThrow()
      }),
    )
  })

  it('reads ten megabytes of empty segments, or of filling, in an instant', () => {
    const segments = Buffer.concat([
      Buffer.from('ffd8', 'hex'),
      Buffer.alloc(10_000_000, Buffer.from('ffe00002', 'hex')),
    ])
    const filling = Buffer.concat([Buffer.from('ffd8', 'hex'), Buffer.alloc(10_000_000, 0xff)])

    expect(decodeImageSize(segments)).toBeUndefined()
    expect(decodeImageSize(filling)).toBeUndefined()
  }, 2000)
})
