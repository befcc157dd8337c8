import type { Clock } from '../../../src/clock.ts'
import type { FormattedText } from './formatted-text.ts'
import type { Button } from './keyboard.ts'

/** Somebody with a Telegram account. */
export interface Person {
  readonly id: number
  readonly firstName: string
  readonly lastName?: string
  readonly username?: string
  readonly languageCode?: string
  /** Whether the person pressed Start: to anybody else the bot cannot write. @default true */
  readonly hasStarted?: boolean
}

/** A group that the bot is in. Its id is negative; from -1000000000000 downwards it is a supergroup. */
export interface Group {
  readonly id: number
  readonly title: string
  readonly members: readonly number[]
  readonly owner?: number
  readonly admins?: readonly number[]
  /** An admin may delete messages of others and sees all that is said. @default false */
  readonly botIsAdmin?: boolean
}

/** A file as it was uploaded. */
export interface StoredFile {
  readonly fileId: string
  readonly fileName: string
  readonly mimeType: string
  readonly bytes: Buffer
}

/** A message as it stands now. */
export interface ChatMessage extends FormattedText {
  readonly id: number
  readonly chatId: number
  /** The sender's user id; the bot's own for what it sent. */
  readonly from: number
  readonly isFromBot: boolean
  /** Seconds since the epoch. */
  readonly date: number
  readonly editDate?: number
  /** How often it was changed. */
  readonly edits: number
  readonly buttons: readonly (readonly Button[])[]
  readonly replyTo?: number
  /** With a document, `text` and `entities` are its caption. */
  readonly document?: StoredFile
  readonly linkPreview?: Readonly<Record<string, unknown>>
  readonly migrateTo?: number
  readonly migrateFrom?: number
}

/** What may be said about a message when it is added; the rest follows. */
export type NewMessage = Partial<Omit<ChatMessage, 'id' | 'chatId' | 'date'>> & Pick<ChatMessage, 'from'>

export type ChatType = 'private' | 'group' | 'supergroup'

/** A chat with its messages, oldest first. */
export interface Chat {
  readonly id: number
  readonly type: ChatType
  readonly title: string
  readonly messages: Map<number, ChatMessage>
  readonly members: Set<number>
  readonly admins: Set<number>
  readonly owner: number | undefined
  isBotAdmin: boolean
  /** Private chats only: whether the person pressed Start, and whether they blocked the bot since. */
  hasStarted: boolean
  isBlocked: boolean
  isKicked: boolean
  migratedTo: number | undefined
}

/** The bot as Telegram knows it. */
export interface BotAccount {
  readonly id: number
  readonly firstName: string
  readonly username: string
}

/** All people, chats and messages. */
export interface World {
  readonly bot: BotAccount
  readonly people: ReadonlyMap<number, Person>
  /** The present time in whole seconds, as Telegram dates messages. */
  now(): number
  findChat(id: number): Chat | undefined
  addMessage(chat: Chat, message: NewMessage): ChatMessage
  changeMessage(chat: Chat, message: ChatMessage, change: Partial<ChatMessage>): ChatMessage
  /** Turns a group into a supergroup and returns that. */
  migrate(chat: Chat): Chat
}

export interface WorldOptions {
  readonly clock: Clock
  readonly bot: BotAccount
  readonly chats: readonly Group[]
  readonly people: readonly Person[]
}

/** Ids up to this one are supergroups. */
const FIRST_SUPERGROUP = -1_000_000_000_000

/** Creates the chats: one for each person, and the groups. */
export function createWorld({ clock, bot, chats: groups, people }: WorldOptions): World {
  const chats = new Map<number, Chat>()
  const lastIds = new Map<number, number>()
  const now = () => Math.floor(clock() / 1000)

  for (const person of people) chats.set(person.id, privateChat(person))
  for (const group of groups) chats.set(group.id, groupChat(group, bot))

  // A supergroup numbers its own messages; everywhere else the bot's account does.
  const nextId = ({ id, type }: Chat) => {
    const counter = type === 'supergroup' ? id : 0
    const next = (lastIds.get(counter) ?? 0) + 1
    lastIds.set(counter, next)
    return next
  }

  const addMessage = (chat: Chat, said: NewMessage) => {
    const isFromBot = said.from === bot.id
    const defaults = { text: '', entities: [], buttons: [], edits: 0, isFromBot }
    const message: ChatMessage = { ...defaults, ...said, id: nextId(chat), chatId: chat.id, date: now() }
    chat.messages.set(message.id, message)
    return message
  }

  return {
    bot,
    people: new Map(people.map((person) => [person.id, person])),
    now,
    findChat: (id) => chats.get(id),
    addMessage,
    changeMessage: (chat, message, change) => {
      const changed = { ...message, ...change }
      chat.messages.set(message.id, changed)
      return changed
    },
    migrate: (chat) => {
      const id = FIRST_SUPERGROUP - Math.abs(chat.id)
      const supergroup: Chat = { ...chat, id, type: 'supergroup', messages: new Map(), isKicked: false }
      chats.set(id, supergroup)
      chat.migratedTo = id
      return supergroup
    },
  }
}

const nobody = { isBotAdmin: false, isBlocked: false, isKicked: false, owner: undefined, migratedTo: undefined }

function privateChat({ id, firstName, hasStarted = true }: Person): Chat {
  const members = new Set([id])
  return {
    ...nobody,
    id,
    type: 'private',
    title: firstName,
    messages: new Map(),
    members,
    admins: new Set(),
    hasStarted,
  }
}

function groupChat({ id, title, members, owner, admins = [], botIsAdmin = false }: Group, bot: BotAccount): Chat {
  if (id >= 0) throw new Error(`The id ${id} of a group must be negative.`)
  return {
    ...nobody,
    id,
    type: id <= FIRST_SUPERGROUP ? 'supergroup' : 'group',
    title,
    messages: new Map(),
    members: new Set([bot.id, ...members, ...admins, ...(owner === undefined ? [] : [owner])]),
    admins: new Set([...admins, ...(botIsAdmin ? [bot.id] : [])]),
    owner,
    isBotAdmin: botIsAdmin,
    hasStarted: true,
  }
}
