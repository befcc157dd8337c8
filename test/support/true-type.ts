import { readFileSync } from 'node:fs'

/** Of a font what it takes to measure a text. */
export interface TrueType {
  has(character: string): boolean
  /** Width of a text in ems, without kerning. What the font lacks has none. */
  width(text: string): number
}

/** Reads a TrueType font whose characters are in a table of format 4. */
export function readTrueType(file: string): TrueType {
  const bytes = readFileSync(file)
  const table = (tag: string) => {
    const entries = Array.from({ length: bytes.readUInt16BE(4) }, (_, at) => 12 + 16 * at)
    return bytes.readUInt32BE((entries.find((at) => bytes.toString('latin1', at, at + 4) === tag) ?? 0) + 8)
  }
  const [em, widths] = [bytes.readUInt16BE(table('head') + 18), bytes.readUInt16BE(table('hhea') + 34)]
  const glyphs = readGlyphs(bytes, table('cmap'))
  const advance = (glyph: number) => bytes.readUInt16BE(table('hmtx') + 4 * Math.min(glyph, widths - 1)) / em
  const glyphOf = (character: string) => glyphs.get(character.codePointAt(0) ?? 0)
  return {
    has: (character) => glyphOf(character) !== undefined,
    width: (text) =>
      Array.from(text, glyphOf).reduce((sum: number, glyph) => sum + (glyph === undefined ? 0 : advance(glyph)), 0),
  }
}

/** Glyphs by code point. */
function readGlyphs(bytes: Buffer, at: number): ReadonlyMap<number, number> {
  const subtables = Array.from(
    { length: bytes.readUInt16BE(at + 2) },
    (_, index) => at + bytes.readUInt32BE(at + 8 + 8 * index),
  )
  const start = subtables.find((one) => bytes.readUInt16BE(one) === 4) ?? 0
  const count = bytes.readUInt16BE(start + 6) / 2
  const glyphs = new Map<number, number>()
  for (let segment = 0; segment < count; segment += 1) {
    const field = (list: number) => start + 14 + (list === 0 ? 0 : 2) + 2 * count * list + 2 * segment
    const [last, first] = [bytes.readUInt16BE(field(0)), bytes.readUInt16BE(field(1))]
    const [delta, offset] = [bytes.readInt16BE(field(2)), bytes.readUInt16BE(field(3))]
    for (let code = first; code <= Math.min(last, 0xfffe); code += 1) {
      const glyph = offset === 0 ? (code + delta) & 0xffff : bytes.readUInt16BE(field(3) + offset + 2 * (code - first))
      if (glyph !== 0) glyphs.set(code, glyph)
    }
  }
  return glyphs
}
