import { Buffer } from 'node:buffer'
import { decodeTime, encodeTime, TIME_MAX } from 'ulid'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const BYTES = 16

/** The first character holds three bits only: 26 characters of 5 bits carry 128. */
const RUN_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** No Inngest is older than that; an id from before is no run id but a counter, a placeholder or somebody's word. */
export const EARLIEST_MS = Date.UTC(2015, 0, 1)
const DAY_MS = 86_400_000

/** Whether a text is a ULID as Inngest writes it: 26 upper-case characters of Crockford's base 32. */
export const isRunId = (text: string): boolean => RUN_ID.test(text)

/** Whether a text is a ULID whose time can be that of a run: from 2015 until a day after `nowMs`. */
export function isLikelyRunId(text: string, nowMs: number): boolean {
  if (!isRunId(text)) return false
  const timeMs = ulidTimeMs(text)
  return timeMs >= EARLIEST_MS && timeMs <= nowMs + DAY_MS
}

/** The time part of a ULID in epoch milliseconds. */
export const ulidTimeMs = (id: string): number => decodeTime(id)

/** The least run id of an instant in epoch milliseconds: every id from before sorts before it. */
export const firstRunIdAt = (ms: number): string =>
  `${encodeTime(Math.min(Math.max(Math.ceil(ms), 0), TIME_MAX), 10)}${'0'.repeat(16)}`

/**
 * The text of a run id that a database keeps as 16 bytes.
 *
 * @throws RangeError when there are not 16.
 */
export function runIdOfBytes(bytes: Uint8Array): string {
  if (bytes.length !== BYTES) throw new RangeError('A run id has 16 bytes.')
  let text = ''
  // 26 characters carry 130 bits: the first two are zeros.
  let [held, bits] = [0, 2]
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt(held >> bits)
      held &= (1 << bits) - 1
    }
  }
  return text
}

/**
 * The 16 bytes of a run id.
 *
 * @throws RangeError when the text is no run id.
 */
export function bytesOfRunId(id: string): Buffer {
  if (!isRunId(id)) throw new RangeError('A run id is a ULID: 26 upper-case characters.')
  const bytes = Buffer.alloc(BYTES)
  let [held, bits, at] = [0, -2, 0]
  for (const character of id) {
    held = (held << 5) | ALPHABET.indexOf(character)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = held >> bits
    held &= (1 << bits) - 1
  }
  return bytes
}
