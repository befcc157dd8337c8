/** What a server on the web answered, or why there is nothing to read, in words of ours. */
export type JsonAnswer =
  | {
      readonly isAnswered: true
      readonly status: number
      /** Not validated; undefined where the body is no JSON. */
      readonly body: unknown
      /** The server's own time, from its `Date` header; null where it tells none. */
      readonly serverMs: number | null
    }
  | { readonly isAnswered: false; readonly why: string }

export interface AskJsonOptions {
  /** Milliseconds for everything, the last byte of the body included. */
  readonly deadlineMs: number
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** More than any answer that is asked for has. */
const MOST_BYTES = 1_000_000

/**
 * Asks a server with one GET. A redirect is not followed, for it would take the credentials elsewhere: it is the answer.
 * Never throws, and `why` holds nothing of the address, the headers or the answer.
 */
export async function askJson(url: string, options: AskJsonOptions): Promise<JsonAnswer> {
  const { deadlineMs, headers = {}, signal } = options
  const deadline = AbortSignal.timeout(deadlineMs)
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  try {
    const response = await fetch(url, { headers, redirect: 'manual', signal: either })
    const text = await boundedText(response)
    if (text === undefined) return { isAnswered: false, why: 'the answer is larger than 1 MB' }
    const serverMs = Date.parse(response.headers.get('date') ?? '')
    const { status } = response
    return { isAnswered: true, status, body: parsed(text), serverMs: Number.isNaN(serverMs) ? null : serverMs }
  } catch (error) {
    if (signal?.aborted === true) return { isAnswered: false, why: 'interrupted' }
    if (deadline.aborted) return { isAnswered: false, why: `no answer within ${deadlineMs / 1_000} s` }
    const code = codeOf(error)
    return { isAnswered: false, why: `the connection failed${code === '' ? '' : ` (${code})`}` }
  }
}

/** Undefined where there is more than anybody asked for; the rest is not read. */
async function boundedText({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MOST_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The system's code (`ECONNREFUSED`), which stands in the error or in its cause; the messages may hold the address. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return /^[A-Z][A-Z0-9_]{1,39}$/.test(code) ? code : codeOf(error.cause)
}
