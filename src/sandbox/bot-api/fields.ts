import { badRequest, type CallFailure } from './failures.ts'

/** A JSON object with unknown fields. */
export type JsonObject = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

type Refuse = (reason: string) => CallFailure

/** A text or a number as text. */
export function requiredText(object: JsonObject, name: string, refuse: Refuse = badRequest): string {
  const value = object[name]
  if (value === undefined || value === null) throw refuse(`Can't find field "${name}"`)
  return readText(value, name, refuse)
}

/** As `requiredText`, empty where there is none. */
export function optionalText(object: JsonObject, name: string, refuse: Refuse = badRequest): string {
  return readText(object[name] ?? '', name, refuse)
}

/** A whole number, or a text that is one. */
export function requiredInteger(object: JsonObject, name: string, refuse: Refuse = badRequest): number {
  const value = object[name]
  if (value === undefined || value === null) throw refuse(`Can't find field "${name}"`)
  const isNumeric = typeof value === 'number' || typeof value === 'string'
  if (!isNumeric || !/^-?\d+$/.test(String(value))) throw refuse(`Field "${name}" must be a Number`)
  return Number(value)
}

function readText(value: unknown, name: string, refuse: Refuse): string {
  if (typeof value === 'string') return wholeText(value)
  if (typeof value === 'number') return String(value)
  throw refuse(`Field "${name}" must be of type String`)
}

/**
 * The same text. JSON can carry halves of characters, UTF-8 cannot.
 *
 * @throws CallFailure when there is one.
 */
export function wholeText(text: string): string {
  if (/\p{Cs}/u.test(text)) throw badRequest('strings must be encoded in UTF-8')
  return text
}
