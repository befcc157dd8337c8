import { randomBytes } from 'node:crypto'

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The 26 characters of a ULID as its 16 bytes. */
export function ulidBytes(text: string): Buffer {
  let number = 0n
  for (const digit of text) number = number * 32n + BigInt(DIGITS.indexOf(digit))
  return Buffer.from(number.toString(16).padStart(32, '0'), 'hex')
}

/** The 16 bytes of a ULID as its 26 characters. */
export function ulidText(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  while (text.length < 26) {
    text = (DIGITS[Number(number % 32n)] ?? '') + text
    number /= 32n
  }
  return text
}

/** A ULID of that time in milliseconds; its last 10 bytes are random unless they are given. */
export function ulidAt(timeMs: number, rest: Uint8Array = randomBytes(10)): string {
  const time = Buffer.from(timeMs.toString(16).padStart(12, '0'), 'hex')
  return ulidText(Buffer.concat([time, rest]))
}
