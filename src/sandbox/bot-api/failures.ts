/** What Telegram adds to some failures. */
export interface FailureParameters {
  readonly retry_after?: number
  readonly migrate_to_chat_id?: number
}

/** A call that Telegram refuses. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure'
  readonly status: number
  readonly parameters: FailureParameters | undefined

  constructor(status: number, description: string, parameters?: FailureParameters) {
    super(description)
    this.status = status
    this.parameters = parameters
  }
}

/**
 * A 400 with Telegram's prefix. Like the Bot API server it writes the first letter small, unless the second one shows
 * that the text is a constant such as `BUTTON_DATA_INVALID`.
 */
export const badRequest = (reason: string): CallFailure => new CallFailure(400, `Bad Request: ${decapitalize(reason)}`)

export const forbidden = (reason: string): CallFailure => new CallFailure(403, `Forbidden: ${reason}`)

export const conflict = (reason: string): CallFailure => new CallFailure(409, `Conflict: ${reason}`)

export const tooManyRequests = (retryAfter: number): CallFailure =>
  new CallFailure(429, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter })

export const migrated = (to: number): CallFailure =>
  new CallFailure(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: to })

const decapitalize = (text: string) => (/^.[_A-Z]/.test(text) ? text : text.slice(0, 1).toLowerCase() + text.slice(1))
