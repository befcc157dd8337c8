import type { LoggedCall } from './call-log.ts'
import type { DeliveryAttempt } from './webhook-sender.ts'
import type { ChatMessage } from './world.ts'

/**
 * Something that happened: a message that was added or changed, or that went; a call when it began, and again when it was
 * answered; an attempt to deliver an update when it began, and again when it was over; or anything else that shows, such
 * as the flags of chats, menus, faults and the webhook.
 */
export type Happening =
  | { readonly kind: 'message'; readonly message: ChatMessage }
  | { readonly kind: 'deleted'; readonly chatId: number; readonly messageId: number }
  | { readonly kind: 'call'; readonly call: LoggedCall }
  | { readonly kind: 'delivery'; readonly attempt: DeliveryAttempt }
  | { readonly kind: 'facts' }

export type Listener = (happening: Happening) => void

/** Tells what happens to everybody who watches. */
export interface Watching {
  /** Never throws, whatever a listener does. */
  readonly tell: Listener
  /** What is returned ends it. */
  watch(listener: Listener): () => void
}

export function createWatching(): Watching {
  const listeners = new Set<Listener>()

  const tell = (happening: Happening) => {
    for (const listener of listeners) {
      try {
        listener(happening)
      } catch {
        // Whoever only looks on must not change what becomes of a call.
      }
    }
  }

  return {
    tell,
    watch: (listener) => {
      // A function of its own, so that the same one given twice is told twice, and each can end.
      const own: Listener = (happening) => listener(happening)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
}
