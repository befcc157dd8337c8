/** Thrown by a command of the embedded store with the text that a Redis server would answer. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** @throws Refused with the text of an error reply. */
export function refuse(text: string): never {
  throw new Refused(text)
}

export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'
export const SYNTAX = 'ERR syntax error'

/** The longest text a 64-bit integer can have is 20 characters. */
const INTEGER = /^(0|-?[1-9]\d{0,18})$/
const LARGEST = 2n ** 63n - 1n

/** Reads a word as Redis reads an integer: no plus sign, no leading zeros, no spaces, 64 bits. */
export function readInteger(word = '', otherwise = 'ERR value is not an integer or out of range'): number {
  if (!INTEGER.test(word) || BigInt(word) > LARGEST || BigInt(word) < -LARGEST - 1n) refuse(otherwise)
  return Number(word)
}
