import { CallFailure } from './failures.ts'

/** An answer as it goes out. */
export interface Envelope {
  readonly status: number
  readonly body: { readonly ok: boolean; readonly description?: string } & Readonly<Record<string, unknown>>
  /** Seconds, also as a header. */
  readonly retryAfter?: number
}

/** Telegram's envelope of a refusal. What is none is a defect of the stand-in, which shall be seen. */
export function refusalOf(error: unknown): Envelope {
  const failure = error instanceof CallFailure ? error : new CallFailure(500, `Internal Server Error: ${String(error)}`)
  const { status, message: description, parameters } = failure
  const body = { ok: false, error_code: status, description, ...(parameters !== undefined && { parameters }) }
  const retryAfter = parameters?.retry_after
  return { status, body, ...(retryAfter !== undefined && { retryAfter }) }
}
