import type { Parameters } from './arguments.ts'
import { badRequest } from './failures.ts'
import { isObject, type JsonObject } from './fields.ts'
import { parseMultipart } from './multipart.ts'

export interface RawCall {
  /** Path and query. */
  readonly url: string
  /** Empty where there is none. */
  readonly contentType: string
  readonly body: Buffer
}

/**
 * The parameters of the query string and of the body: JSON, multipart, or urlencoded, which is also what a body without a
 * type is taken for. The body's count where both have one.
 *
 * @throws CallFailure 400 when the body cannot be read.
 */
export async function parseParameters({ url, contentType, body }: RawCall): Promise<Parameters> {
  const query = Object.fromEntries(new URL(url, 'http://localhost').searchParams)
  if (/^multipart\/form-data/i.test(contentType)) {
    const { values, files } = await parseMultipart(body, contentType)
    return { values: { ...query, ...values }, files }
  }
  const isJson = /^application\/json/i.test(contentType)
  const values = isJson ? parseJson(body) : Object.fromEntries(new URLSearchParams(body.toString()))
  return { values: { ...query, ...values }, files: new Map() }
}

function parseJson(body: Buffer): JsonObject {
  if (body.length === 0) return {}
  try {
    const value: unknown = JSON.parse(body.toString())
    if (isObject(value)) return value
  } catch {
    // Refused below, like JSON that is no object.
  }
  throw badRequest("Can't parse JSON object")
}
