import type { Update } from 'grammy/types'
import { type Clock, systemClock } from '../../../src/clock.ts'
import { createCallLog, type LoggedCall } from './call-log.ts'
import { createDelivery, type DeliveryAttempt, type Fate } from './delivery.ts'
import { createFaults, type Fault } from './faults.ts'
import { createMethods } from './methods.ts'
import { createPersons, type PressAnswer, type SayOptions } from './persons.ts'
import { createQueries } from './queries.ts'
import { startServer } from './server.ts'
import { createWaiting } from './waiting.ts'
import { type ChatMessage, type ChatType, createWorld, type Group, type Person } from './world.ts'

export type { LoggedCall } from './call-log.ts'
export type { DeliveryAttempt, Fate } from './delivery.ts'
export type { Fault } from './faults.ts'
export type { Entity } from './formatted-text.ts'
export type { Button } from './keyboard.ts'
export type { PressAnswer, SayOptions } from './persons.ts'
export type { ChatMessage, ChatType, Group, Person, StoredFile } from './world.ts'

export interface TelegramOptions {
  /** @default '1234567:TEST-token_for-orderly' */
  readonly token?: string
  /** The bot's name without @. @default 'orderly_test_bot' */
  readonly username?: string
  /** What messages are dated by, and what button presses (150 s) and updates (24 h) expire by. @default the real clock */
  readonly clock?: Clock
  /** Milliseconds before each time that an update is sent again; the last repeats. @default [0, 2000, 4000, 8000] */
  readonly resendMs?: readonly number[]
  /** Milliseconds that a webhook has for its answer. @default 60000 */
  readonly answerWithinMs?: number
  /** Milliseconds that `press` waits for the bot. @default 5000 */
  readonly pressWithinMs?: number
  /** The groups the bot is in. Private chats follow from `people`. */
  readonly chats?: readonly Group[]
  readonly people: readonly Person[]
}

/** A chat as its members see it now. */
export interface ChatView {
  readonly id: number
  readonly type: ChatType
  readonly title: string
  /** Oldest first, without what was deleted. */
  readonly messages: readonly ChatMessage[]
}

/** An update as Telegram would send it; without an `update_id` it gets the next one. */
export type RawUpdate = Omit<Update, 'update_id'> & { readonly update_id?: number }

/** A Telegram with one bot, and what the people in it do. */
export interface TelegramStandIn {
  /** For `apiRoot`: `http://127.0.0.1:…`. */
  readonly url: string
  readonly token: string
  /** What the bot asked for, oldest first. */
  readonly calls: readonly LoggedCall[]
  /** Each attempt to bring an update to the webhook, oldest first. */
  readonly deliveries: readonly DeliveryAttempt[]
  /** Updates that the bot has not taken yet. */
  readonly pendingUpdates: number

  /** A person writes something. In a private chat this also presses Start. */
  say(userId: number, chatId: number, text: string, options?: SayOptions): ChatMessage
  /**
   * A person presses a button, named by its text or its callback data. Resolves when the bot has answered.
   *
   * @throws Error when there is no such button, or no answer within `pressWithinMs`.
   */
  press(userId: number, chatId: number, messageId: number, button: string): Promise<PressAnswer>
  /** Sends any update. Resolves when the bot has taken it, or with why it never will. */
  deliver(update: RawUpdate): Promise<Fate>
  /** Sends the same update twice in a row, as Telegram does when an answer gets lost. */
  deliverTwice(update: RawUpdate): Promise<Fate>
  /** @throws Error when there is no such chat. */
  chat(chatId: number): ChatView
  /**
   * Asks until the answer is neither false nor nullish, and resolves with it. Asks after all that happens here.
   *
   * @throws Error after `timeoutMs` (default 2000), with the latest calls.
   */
  waitFor<Found>(find: () => Found | false | null | undefined, timeoutMs?: number): Promise<Found>

  /** What happens to the next call of a method, or of any method (`*`). Several faults take effect one after the other. */
  failNext(method: string, fault: Fault): void
  /** Breaks each connection of the bot for so many milliseconds. Updates are sent all the same. */
  downFor(ms: number): void
  /** Delays each answer from now on; 0 ends it. */
  slowBy(ms: number): void

  /** A person blocks the bot, until they say something again. */
  block(userId: number): void
  /** A group becomes a supergroup, whose id is returned. */
  migrate(chatId: number): number
  /** The bot is thrown out of a group. */
  kick(chatId: number): void
  /** Breaks all connections, pending polls included. */
  stop(): Promise<void>
}

/** Starts a Telegram on a free port of the loopback interface. */
export async function startTelegram(options: TelegramOptions): Promise<TelegramStandIn> {
  const { token = '1234567:TEST-token_for-orderly', username = 'orderly_test_bot', clock = systemClock } = options
  const {
    chats = [],
    people,
    resendMs = [0, 2000, 4000, 8000],
    answerWithinMs = 60_000,
    pressWithinMs = 5000,
  } = options
  const bot = { id: Number.parseInt(token, 10), firstName: 'Orderly', username }

  const waiting = createWaiting()
  const world = createWorld({ clock, bot, chats, people })
  const log = createCallLog({ clock, onChange: waiting.check })
  const delivery = createDelivery({ clock, resendMs, answerWithinMs, onChange: waiting.check })
  const queries = createQueries({ clock })
  const faults = createFaults()
  const methods = createMethods({ world, delivery, queries })
  const persons = createPersons({ world, delivery, queries, pressWithinMs })
  const server = await startServer({ token, methods, faults, log })

  const send = (update: RawUpdate, copies: number) => delivery.add(update, { copies })

  return {
    ...persons,
    url: server.url,
    token,
    calls: log.calls,
    deliveries: delivery.attempts,
    get pendingUpdates() {
      return delivery.pendingCount()
    },
    deliver: (update) => send(update, 1),
    deliverTwice: (update) => send(update, 2),
    chat: (chatId) => {
      const chat = world.findChat(chatId)
      if (chat === undefined) throw new Error(`There is no chat ${chatId}.`)
      return { id: chat.id, type: chat.type, title: chat.title, messages: [...chat.messages.values()] }
    },
    waitFor: (find, timeoutMs = 2000) => waiting.waitFor(find, { timeoutMs, explain: log.latest }),
    failNext: faults.failNext,
    downFor: faults.downFor,
    slowBy: faults.slowBy,
    stop: async () => {
      delivery.stop()
      waiting.stop()
      await server.stop()
    },
  }
}
