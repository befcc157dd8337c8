import type { FastifyInstance } from 'fastify'
import { type Clock, systemClock } from '../../clock.ts'
import { createCallLog, maskSecrets, type LoggedCall } from './call-log.ts'
import { createDelivery, type DeliveryAttempt, type Fate, type UpdateContent } from './delivery.ts'
import { createFaults, type Fault, type FaultState } from './faults.ts'
import { createFileStore } from './files.ts'
import { createMenus, type Command } from './menus.ts'
import { createMethods } from './methods.ts'
import { createPersons, type Persons } from './persons.ts'
import { createBotApi } from './plugin.ts'
import { createQueries } from './queries.ts'
import { createWatching, type Listener } from './watching.ts'
import { type BotAccount, type Chat, type ChatMessage, type ChatType, createWorld } from './world.ts'
import type { Group, Person, StoredFile } from './world.ts'

export type { LoggedCall } from './call-log.ts'
export type { DeliveryAttempt, Fate, UpdateContent } from './delivery.ts'
export type { Fault, FaultState } from './faults.ts'
export type { Entity } from './formatted-text.ts'
export type { Button } from './keyboard.ts'
export type { Command } from './menus.ts'
export { type ButtonPosition, type PressAnswer, type SayOptions, UnansweredPress } from './persons.ts'
export type { Happening, Listener } from './watching.ts'
export type { BotAccount, ChatMessage, ChatType, Group, Person, StoredFile } from './world.ts'

export interface StandInOptions {
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
  /** People only, without the bot. */
  readonly memberIds: readonly number[]
  /** Private chats: whether the person pressed Start. True for groups. */
  readonly hasStarted: boolean
  /** Private chats: whether the person blocked the bot. */
  readonly isBlocked: boolean
  /** Groups: whether the bot was thrown out. */
  readonly isBotRemoved: boolean
  /** The supergroup that a group became. */
  readonly migratedTo?: number
  /** Oldest first, without what was deleted: the latest 2000. */
  readonly messages: readonly ChatMessage[]
}

/**
 * A Telegram with one bot, and what the people in it do. It listens to nothing by itself: `plugin` puts it into a server.
 * Everything is in memory: the latest 5000 calls and as many deliveries, and the latest 2000 messages of each chat.
 */
export interface StandIn extends Persons {
  readonly token: string
  readonly bot: BotAccount
  /**
   * Serves `/bot<token>/<method>` and `/file/bot<token>/<path>`; registered with a prefix, below that. Encapsulated: bodies
   * and errors are its own, only the hooks of the parent apply.
   */
  readonly plugin: (app: FastifyInstance) => Promise<void>
  /** What the bot asked for, oldest first, exactly as it came: the webhook's secret is not masked. */
  readonly calls: readonly LoggedCall[]
  /** Each attempt to bring an update to the webhook that is over, oldest first. */
  readonly deliveries: readonly DeliveryAttempt[]
  /** Updates that the bot has not taken yet. */
  readonly pendingUpdates: number
  /**
   * Tells of everything that happens from now on, with the webhook's secret masked. What is returned ends it. A listener
   * that throws is told of the next happening all the same.
   */
  watch(listener: Listener): () => void

  /** Sends any update. Resolves when the bot has taken it, or with why it never will. */
  deliver(update: UpdateContent): Promise<Fate>
  /** Sends the same update twice in a row, as Telegram does when an answer gets lost. */
  deliverTwice(update: UpdateContent): Promise<Fate>
  /**
   * Sends the latest update again, though it may have been taken long ago, and returns its id; undefined when there was
   * none. A bot that polls has confirmed it by its offset and does not see it again.
   */
  deliverLastAgain(): number | undefined

  /** @throws Error when there is no such chat. */
  chat(chatId: number): ChatView
  chats(): readonly ChatView[]
  /** The command menu that a person sees in a chat; empty where they, or the bot, are no member. */
  menuFor(userId: number, chatId: number): readonly Command[]
  /** A file that the bot uploaded; undefined when there is none, or when it was dropped to make room. */
  file(fileId: string): StoredFile | undefined

  /** What happens to the next call of a method, or of any method (`*`). Several faults take effect one after the other. */
  failNext(method: string, fault: Fault): void
  /** Breaks each connection of the bot for so many milliseconds. Updates are sent all the same. */
  downFor(ms: number): void
  /** Delays each answer from now on; 0 ends it. */
  slowBy(ms: number): void
  faults(): FaultState
  /** Ends all faults. */
  calm(): void

  /** Ends deliveries, polls and faults, and breaks all connections. May be called again. */
  stop(): void
}

/** Creates a Telegram. Nothing of it keeps the program alive after `stop`. */
export function createStandIn(options: StandInOptions): StandIn {
  const { token, username, clock, chats, people, pressWithinMs, resendMs, answerWithinMs } = { ...DEFAULTS, ...options }
  const bot = { id: Number.parseInt(token, 10), firstName: 'Orderly', username }

  const ending = new AbortController()
  const { tell, watch } = createWatching()
  const nextNumber = createCounter()
  const onChange = () => tell({ kind: 'facts' })
  const onCall = (call: LoggedCall) => tell({ kind: 'call', call: maskSecrets(call) })
  const onAttempt = (attempt: DeliveryAttempt) => tell({ kind: 'delivery', attempt })

  const world = createWorld({ clock, bot, chats, people, onChange: tell })
  const log = createCallLog({ clock, nextNumber, onChange: onCall })
  const delivery = createDelivery({ clock, resendMs, answerWithinMs, nextNumber, onAttempt, onChange })
  const queries = createQueries({ clock })
  const faults = createFaults({ onChange })
  const menus = createMenus(world, onChange)
  const files = createFileStore()
  const methods = createMethods({ world, delivery, queries, menus, files })
  const persons = createPersons({ world, delivery, queries, pressWithinMs, ending: ending.signal })
  const botApi = createBotApi({ token, methods, faults, log, findFile: files.findByPath })

  return {
    ...persons,
    token,
    bot,
    plugin: botApi.plugin,
    calls: log.calls,
    deliveries: delivery.attempts,
    get pendingUpdates() {
      return delivery.pendingCount()
    },
    watch,
    deliver: (update) => delivery.add(update),
    deliverTwice: (update) => delivery.add(update, { copies: 2 }),
    deliverLastAgain: delivery.addLastAgain,
    chat: (chatId) => viewOf(existing(world.findChat(chatId), chatId), bot.id),
    chats: () => world.chats().map((chat) => viewOf(chat, bot.id)),
    menuFor: menus.seenBy,
    file: files.find,
    failNext: faults.failNext,
    downFor: faults.downFor,
    slowBy: faults.slowBy,
    faults: faults.state,
    calm: faults.calm,
    stop: () => {
      botApi.stop()
      delivery.stop()
      faults.calm()
      ending.abort()
    },
  }
}

const DEFAULTS = {
  token: '1234567:TEST-token_for-orderly',
  username: 'orderly_test_bot',
  clock: systemClock,
  resendMs: [0, 2000, 4000, 8000],
  answerWithinMs: 60_000,
  pressWithinMs: 5000,
  chats: [],
}

function createCounter(): () => number {
  let count = 0
  return () => (count += 1)
}

function existing(chat: Chat | undefined, id: number): Chat {
  if (chat === undefined) throw new Error(`There is no chat ${id}.`)
  return chat
}

function viewOf(chat: Chat, botId: number): ChatView {
  const { id, type, title, members, messages, hasStarted, isBlocked, isKicked, migratedTo } = chat
  return {
    id,
    type,
    title,
    memberIds: [...members].filter((member) => member !== botId),
    hasStarted,
    isBlocked,
    isBotRemoved: isKicked,
    ...(migratedTo !== undefined && { migratedTo }),
    messages: [...messages.values()],
  }
}
