import { AppError } from '../errors.ts'

/** A task's result has no exact JSON text. Nothing was written; the task must return something else. */
export class UnstorableResultError extends AppError<'UNSTORABLE_RESULT'> {
  override readonly name = 'UnstorableResultError'

  constructor({ key, task, reason, cause }: ResultPlace & { readonly reason: string; readonly cause?: unknown }) {
    super(
      'UNSTORABLE_RESULT',
      `The result of task ${quoted(task)} cannot be stored in ${quoted(key)}: ${reason}. Return what JSON can hold.`,
      cause === undefined ? {} : { cause },
    )
  }
}

/** The key of an execution that was to begin holds something else, of any type. Nothing was changed. */
export class KeyTakenError extends AppError<'KEY_TAKEN'> {
  override readonly name = 'KeyTakenError'

  constructor(key: string) {
    super(
      'KEY_TAKEN',
      `The key ${quoted(key)} holds something that is no execution, so none was begun. ` +
        'Use another execution id, or a prefix that nothing else uses.',
    )
  }
}

/** What is stored as a task's result is no JSON text. Deliberately without a cause, which would quote more of it. */
export class BrokenResultError extends AppError<'BROKEN_RESULT'> {
  override readonly name = 'BrokenResultError'

  constructor({ key, task, text }: ResultPlace & { readonly text: string }) {
    super(
      'BROKEN_RESULT',
      `The result in ${quoted(key)}, field ${quoted(task)}, is not JSON; it begins with: ${beginningOf(text)}. ` +
        'Remove the field to have the task run again.',
    )
  }
}

/** Where a result is or would be stored: the key of the results and the task's id, which is the field. */
export interface ResultPlace {
  readonly key: string
  readonly task: string
}

const quoted = (name: string) => JSON.stringify(name)

/** The first 80 characters, on one line. */
const beginningOf = (text: string) =>
  Array.from(text.slice(0, 160))
    .slice(0, 80)
    .join('')
    .replaceAll(/\p{Cc}/gu, ' ')
