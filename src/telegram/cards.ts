import { setTimeout as sleep } from 'node:timers/promises'
import { GrammyError, type Api } from 'grammy'
import type { Clock } from '../clock.ts'
import { isoInstant } from '../calendar.ts'
import { newEntryId } from '../orders/entries.ts'
import type { Order } from '../orders/fold.ts'
import { decodeInstant } from '../orders/instant.ts'
import type { OrderId } from '../orders/order.ts'
import { isOpen } from '../orders/status.ts'
import type { OrderStore } from '../orders/store.ts'
import { ignoreUnchanged, isRefusal, pauseAfter } from './calls.ts'
import { cardOf, lastMoveOf, type CardOptions } from './card.ts'
import type { Names } from './names.ts'
import { NO_PREVIEW } from './text.ts'

/** Milliseconds before the next try after so many failures in a row, and after all further ones. */
const PAUSES_MS = [2_000, 5_000, 15_000]
const LONGEST_PAUSE_MS = 30_000

/** Tries of one card, about half an hour of them; then the next change or the next boot brings it. */
const MOST_TRIES = 60

/** Orders whose card may wait; beyond, the next boot brings them. */
const MOST_WAITING = 2_000

/** An order older than this gets no card at boot. */
const OWED_FOR_MS = 24 * 3_600_000

/** The cards of the orders chat. Orders are safe in the store before any of this; a card that fails comes later. */
export interface Cards {
  /** Brings an order's card up to date in the background: sent when it is owed, edited when there is one. */
  show(order: Order): void
  /** Offers all held open orders younger than a day that have no card. */
  showOwed(): void
  /** The chat has a new id, for a group became a supergroup: owed cards are sent there. Does nothing for another chat. */
  move(from: number, to: number): void
  chatId(): number
  stop(): Promise<void>
}

export interface CardsOptions extends Pick<CardOptions, 'undoMs' | 'zone'> {
  readonly names: Pick<Names, 'nameOf' | 'findName'>
  readonly api: Api
  readonly chatId: number
  readonly store: OrderStore
  readonly clock: Clock
  /** Told of failures that are not worth another try. */
  readonly onError: (error: unknown) => void
  /** Told once of a new id of the chat. */
  readonly onMove: (to: number) => void
}

export function createCards(options: CardsOptions): Cards {
  const { api, store, clock, onError, names } = options
  const waiting = new Map<OrderId, { tries: number }>()
  /** Messages that were sent but could not be noted on the order: noted at the next try, not sent again. */
  const sent = new Map<OrderId, number>()
  const stopping = new AbortController()
  let chatId = options.chatId
  let working: Promise<void> | undefined
  /** The order whose card is on its way. */
  let inHand: OrderId | undefined

  // A card of the chat's former id cannot be edited any more, and the new chat counts its messages from 1 again.
  const messageOf = (order: Order) => order.cards.get(chatId)
  const render = async (order: Order) => {
    const mover = lastMoveOf(order)?.by ?? null
    if (mover !== null) await names.findName(mover, chatId)
    return cardOf(order, { ...options, nameOf: names.nameOf, nowMs: clock() })
  }

  const send = async (order: Order) => {
    const { text, keyboard } = await render(order)
    const chat = chatId
    const more = { ...NO_PREVIEW, reply_markup: keyboard }
    const message = sent.get(order.id) ?? (await api.sendMessage(chat, text, more)).message_id
    if (chat === chatId) sent.set(order.id, message)
    const entry = { id: newEntryId(), at: isoInstant(clock(), options.zone), by: 'orderly', card: { chat, message } }
    const noted = await store.change<never>(order.id, () => ({ append: [entry] }))
    sent.delete(order.id)
    const isStanding = noted.outcome === 'appended' && noted.order.cards.get(chat) === message
    if (!isStanding) await api.deleteMessage(chat, message)
  }

  const edit = async (order: Order, message: number) => {
    // The message is one of this chat, whatever the chat becomes while the card is made.
    const chat = chatId
    const { text, keyboard } = await render(order)
    await api.editMessageText(chat, message, text, { ...NO_PREVIEW, reply_markup: keyboard }).catch(ignoreUnchanged)
  }

  const bring = async (id: OrderId) => {
    const order = await store.read(id)
    if (order === undefined) return
    const message = messageOf(order)
    if (message !== undefined) await edit(order, message)
    else if (isOpen(order.status)) await send(order)
  }

  const move = (from: number, to: number) => {
    if (from !== chatId || to === chatId) return
    chatId = to
    inHand = undefined
    sent.clear()
    options.onMove(to)
    showOwed()
  }

  /** Puts an order back whose card failed, if that is worth it, and resolves when the next try may be made. */
  const postpone = async (id: OrderId, error: unknown, { tries, failures }: { tries: number; failures: number }) => {
    const movedTo = error instanceof GrammyError ? error.parameters.migrate_to_chat_id : undefined
    if (movedTo !== undefined) move(chatId, movedTo)
    if ((movedTo === undefined && isRefusal(error)) || tries >= MOST_TRIES) return onError(error)
    if (!waiting.has(id)) waiting.set(id, { tries })
    const pauseMs = movedTo === undefined ? pauseAfter(error, PAUSES_MS[failures - 1] ?? LONGEST_PAUSE_MS) : 0
    await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
  }

  const work = async () => {
    let failures = 0
    for (const [id, { tries }] of waiting) {
      if (stopping.signal.aborted) return
      waiting.delete(id)
      inHand = id
      try {
        await bring(id)
        failures = 0
      } catch (error) {
        failures += 1
        await postpone(id, error, { tries: tries + 1, failures })
      }
    }
  }

  const begin = () => {
    working ??= work().finally(() => {
      working = undefined
      inHand = undefined
      // Something may have come between the last look and now.
      if (waiting.size > 0 && !stopping.signal.aborted) begin()
    })
  }

  const show = ({ id }: Order) => {
    if (waiting.size < MOST_WAITING) waiting.set(id, { tries: 0 })
    begin()
  }

  const showOwed = () => {
    for (const order of store.held()) {
      const createdAtMs = decodeInstant(order.facts['created_at'], options.zone) ?? -Infinity
      const isOwed = isOpen(order.status) && messageOf(order) === undefined && order.id !== inHand
      if (isOwed && clock() - createdAtMs < OWED_FOR_MS) show(order)
    }
  }

  return {
    show,
    showOwed,
    move,
    chatId: () => chatId,
    stop: async () => {
      stopping.abort()
      await working
    },
  }
}
