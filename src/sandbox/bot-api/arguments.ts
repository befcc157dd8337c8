import { badRequest } from './failures.ts'
import { wholeText } from './fields.ts'

/** A file of a multipart body. */
export interface UploadedFile {
  readonly fileName: string
  readonly mimeType: string
  readonly bytes: Buffer
}

/** The raw parameters of a call, whichever way they came. */
export interface Parameters {
  readonly values: Readonly<Record<string, unknown>>
  readonly files: ReadonlyMap<string, UploadedFile>
}

/**
 * The parameters of a call, read as the Bot API server reads them: a number may come as text and the other way round, an
 * object as JSON text, and what is not asked for is not looked at. Stricter than Telegram in one respect: an object where
 * a text or a number belongs is refused and not taken for its own JSON text.
 */
export interface Arguments {
  /** Empty where there is none. */
  text(name: string): string
  /** Telegram's own fallback: what is no number is 0, and what is missing is the default. */
  integer(name: string, options?: IntegerOptions): number
  flag(name: string): boolean
  /** An object or a list, also as JSON text; undefined where there is none. `what` names it in the refusal. */
  json(name: string, what: string): unknown
  /** The file that a parameter stands for, by its own name or as `attach://…`. */
  file(name: string): UploadedFile | undefined
}

export interface IntegerOptions {
  readonly fallback?: number
  readonly min?: number
  readonly max?: number
}

/** Wraps the parameters of a call. */
export function readArguments({ values, files }: Parameters): Arguments {
  const text = (name: string) => {
    const value = values[name] ?? ''
    if (typeof value === 'string') return wholeText(value)
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw badRequest(`Field "${name}" must be of type String`)
  }

  return {
    text,
    integer: (name, { fallback = 0, min = -Infinity, max = Infinity } = {}) => {
      const given = text(name)
      const value = given === '' ? fallback : Number.parseInt(given, 10) || 0
      return Math.min(Math.max(value, min), max)
    },
    flag: (name) => ['true', '1', 'yes'].includes(text(name).toLowerCase()),
    json: (name, what) => {
      const value = values[name]
      if (value === undefined || value === null || value === '') return undefined
      return typeof value === 'string' ? parseJson(value, what) : value
    },
    file: (name) => {
      const value = values[name]
      const attached = typeof value === 'string' ? /^attach:\/\/(.+)$/.exec(value)?.[1] : undefined
      return files.get(attached ?? name)
    },
  }
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest(`Can't parse ${what} JSON object`)
  }
}
