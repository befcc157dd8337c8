import { BrokenResultError, UnstorableResultError, type ResultPlace } from './errors.ts'
import { isPlainObject } from './plain-object.ts'

/** The text of a result that is `undefined`, which has no JSON. The store before this one wrote the same. */
const UNDEFINED_TEXT = ''

/**
 * A task's result as JSON text, from which `decodeResult` makes an equal value. As in JSON, `toJSON` counts, an `undefined`
 * inside is left out (in a list: null), an instance of a class becomes its fields, and names that are symbols, and of a list
 * all names but its places, are left out.
 *
 * @throws UnstorableResultError for what JSON would empty, change or cannot hold: BigInt, functions, symbols, cycles, numbers
 *   without digits, invalid dates, Map, Set, Promise, Error, binary data, boxed values, instances of a class without fields.
 */
export function encodeResult(value: unknown, place: ResultPlace): string {
  let hasMinusZero = false
  const text = stringify(value, place, (one) => {
    hasMinusZero ||= Object.is(one, -0)
    return one
  })
  if (text === undefined) return UNDEFINED_TEXT
  return hasMinusZero ? withMinusZeros(value, { place, text }) : text
}

/**
 * The result of a stored text.
 *
 * @throws BrokenResultError when it is no JSON; the message holds its first 80 characters at most.
 */
export function decodeResult(text: string, place: ResultPlace): unknown {
  if (text === UNDEFINED_TEXT) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new BrokenResultError({ ...place, text })
  }
}

/** JSON can read -0 but writes 0: a name that occurs nowhere else takes its place in a second go. */
function withMinusZeros(value: unknown, { place, text }: { readonly place: ResultPlace; readonly text: string }) {
  let name = '-0'
  while (text.includes(`"${name}"`)) name += '-'
  const named = stringify(value, place, (one) => (Object.is(one, -0) ? name : one))
  return named?.replaceAll(`"${name}"`, '-0') ?? UNDEFINED_TEXT
}

function stringify(value: unknown, place: ResultPlace, replace: (one: unknown) => unknown): string | undefined {
  try {
    return JSON.stringify(value, function (this: object, name: string, one: unknown) {
      // An invalid date says of itself that it is null.
      const flaw = one === null && Reflect.get(this, name) instanceof Date ? 'an invalid Date' : flawOf(one)
      if (flaw === undefined) return replace(one)
      throw new UnstorableResultError({ ...place, reason: `it ${name === '' ? 'is' : 'holds'} ${flaw}${at(name)}` })
    })
  } catch (error) {
    if (error instanceof UnstorableResultError) throw error
    throw new UnstorableResultError({ ...place, reason: reasonOf(error), cause: error })
  }
}

const at = (name: string) => (name === '' ? '' : ` at ${JSON.stringify(name.slice(0, 80))}`)

function flawOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value)
  return typeof value === 'object' && value !== null ? objectFlawOf(value) : FLAWS.get(typeof value)
}

function objectFlawOf(value: object): string | undefined {
  if (Array.isArray(value) || isPlainObject(value)) return undefined
  const known = CLASSES.find(([type]) => value instanceof type)
  if (known !== undefined) return known[1]
  if (ArrayBuffer.isView(value)) return 'binary data'
  return Object.keys(value).length === 0 ? 'an object whose content JSON would lose' : undefined
}

const CLASSES = [
  [Map, 'a Map'],
  [Set, 'a Set'],
  [Promise, 'a Promise that nobody waited for'],
  [Error, 'an Error'],
  [Number, 'a Number object'],
  [String, 'a String object'],
  [Boolean, 'a Boolean object'],
  [BigInt, 'a BigInt object'],
] as const

const FLAWS: ReadonlyMap<string, string> = new Map([
  ['bigint', 'a BigInt'],
  ['function', 'a function'],
  ['symbol', 'a symbol'],
])

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply or too large'
  const isCycle = error instanceof TypeError && /circular|cyclic/i.test(error.message)
  return isCycle ? 'it refers to itself (a cycle)' : 'it failed to turn itself into JSON'
}
