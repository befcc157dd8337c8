/**
 * Makes a test for a Redis glob pattern: `*` any bytes, `?` one byte, `[abc]` `[^abc]` `[a-z]` one byte of a set, `\x` the
 * byte x. Takes at most pattern length times text length steps, whatever the pattern.
 */
export function globTest(pattern: string): (text: string) => boolean {
  const parts = parse(bytesOf(pattern))
  return (text) => matches(parts, bytesOf(text))
}

type Part = 'any bytes' | ((byte: string) => boolean)

/** One character per byte. */
const bytesOf = (text: string) => Buffer.from(text).toString('latin1')

function parse(pattern: string): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < pattern.length; at++) {
    const byte = pattern.charAt(at)
    if (byte === '*') {
      if (parts.at(-1) !== 'any bytes') parts.push('any bytes')
    } else if (byte === '?') {
      parts.push(() => true)
    } else if (byte === '[') {
      const { accepts, end } = parseSet(pattern, at + 1)
      parts.push(accepts)
      at = end
    } else {
      if (byte === '\\' && at + 1 < pattern.length) at += 1
      const wanted = pattern.charAt(at)
      parts.push((candidate) => candidate === wanted)
    }
  }
  return parts
}

/** Reads a set from behind its bracket; `end` is where it closes. A set that is never closed ends with the pattern. */
function parseSet(pattern: string, start: number) {
  const isNegated = pattern.charAt(start) === '^'
  const ranges: (readonly [first: string, last: string])[] = []
  let at = isNegated ? start + 1 : start
  for (; at < pattern.length && pattern.charAt(at) !== ']'; at++) {
    if (pattern.charAt(at) === '\\' && at + 1 < pattern.length) {
      at += 1
      ranges.push([pattern.charAt(at), pattern.charAt(at)])
    } else if (pattern.charAt(at + 1) === '-' && at + 2 < pattern.length) {
      ranges.push([pattern.charAt(at), pattern.charAt(at + 2)])
      at += 2
    } else {
      ranges.push([pattern.charAt(at), pattern.charAt(at)])
    }
  }
  const accepts = (byte: string) =>
    isNegated !==
    ranges.some(([first, last]) => (first <= last ? first <= byte && byte <= last : last <= byte && byte <= first))
  return { accepts, end: at }
}

/** Goes back to the latest `*` only: an earlier one cannot do better. */
function matches(parts: readonly Part[], text: string): boolean {
  let [part, at] = [0, 0]
  let star: { readonly part: number; at: number } | undefined
  while (at < text.length) {
    const current = parts[part]
    if (current === 'any bytes') {
      star = { part, at }
      part += 1
    } else if (current?.(text.charAt(at))) {
      part += 1
      at += 1
    } else if (star === undefined) {
      return false
    } else {
      star.at += 1
      at = star.at
      part = star.part + 1
    }
  }
  return parts.slice(part).every((rest) => rest === 'any bytes')
}
