import type { Context, InlineKeyboard } from 'grammy'
import type { Clock } from '../clock.ts'
import { ignoreUnchanged, isRefusal, untilAnswered } from './calls.ts'

/** A message that is edited as work goes on, and ends as its result. */
export interface ProgressMessage {
  /** Shows a text unless the latest one is too young. */
  show(text: string): void
  end(text: string, button?: InlineKeyboard): Promise<void>
}

export interface ProgressOptions {
  /** What it says at first. */
  readonly text: string
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  readonly signal: AbortSignal
}

/** The least milliseconds between two edits. */
const EDIT_EVERY_MS = 3_000

/** Posts the message. Telegram being away holds nothing up; the last text is what must arrive. */
export async function openProgress(context: Context, options: ProgressOptions): Promise<ProgressMessage> {
  const { clock, onError, signal } = options
  const message = await context.reply(options.text).catch((error: unknown) => {
    onError(error)
    return undefined
  })
  let isEditing = false
  let editedAtMs = clock()
  let editing: Promise<unknown> = Promise.resolve()
  const edit = async (text: string, button: Button = {}): Promise<unknown> =>
    message === undefined
      ? undefined
      : await context.api.editMessageText(message.chat.id, message.message_id, text, button)
  /** Whether the message stands there with this text; not when somebody has deleted it. */
  const tryEdit = async (text: string, button: Button) => {
    try {
      await edit(text, button).catch(ignoreUnchanged)
      return true
    } catch (error) {
      if (isRefusal(error)) return false
      throw error
    }
  }
  return {
    show: (text) => {
      if (isEditing || clock() - editedAtMs < EDIT_EVERY_MS) return
      isEditing = true
      editing = edit(text)
        .catch(onError)
        .finally(() => {
          isEditing = false
          editedAtMs = clock()
        })
    },
    end: async (text, keyboard) => {
      const button = keyboard === undefined ? {} : { reply_markup: keyboard }
      await editing
      const isEdited = message !== undefined && (await untilAnswered(() => tryEdit(text, button), signal))
      if (!isEdited) await untilAnswered(() => context.reply(text, button), signal)
    },
  }
}

interface Button {
  readonly reply_markup?: InlineKeyboard
}
