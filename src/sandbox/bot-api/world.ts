import type { Clock } from '../../clock.ts'
import type { FormattedText } from './formatted-text.ts'
import type { Button } from './keyboard.ts'
import type { Happening } from './watching.ts'

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
  readonly kind: 'photo' | 'document'
  readonly fileId: string
  readonly fileName: string
  /** A photo's is read from its bytes, a document's follows from its name. */
  readonly mimeType: string
  readonly size: number
  /** Empty once the file was dropped to make room. */
  readonly bytes: Buffer
  /** Pixels of a photo. */
  readonly width?: number
  readonly height?: number
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
  /** With a photo or a document, of which there is at most one, `text` and `entities` are its caption. */
  readonly photo?: StoredFile
  readonly document?: StoredFile
  readonly isCaptionAbove?: boolean
  /** Whether the photo is covered until it is tapped. */
  readonly hasSpoiler?: boolean
  /** Whether the message cannot be forwarded or saved. */
  readonly isProtected?: boolean
  readonly linkPreview?: Readonly<Record<string, unknown>>
  readonly migrateTo?: number
  readonly migrateFrom?: number
}

/** What may be said about a message when it is added; the rest follows. */
export type NewMessage = Partial<Omit<ChatMessage, 'id' | 'chatId' | 'date'>> & Pick<ChatMessage, 'from'>

export type ChatType = 'private' | 'group' | 'supergroup'

/** What changes about a chat. */
export interface ChatFlags {
  /** Private chats only: whether the person pressed Start, and whether they blocked the bot since. */
  readonly hasStarted: boolean
  readonly isBlocked: boolean
  readonly isKicked: boolean
  readonly migratedTo: number | undefined
}

/** A chat with its messages, oldest first. */
export interface Chat extends ChatFlags {
  readonly id: number
  readonly type: ChatType
  readonly title: string
  readonly messages: ReadonlyMap<number, ChatMessage>
  readonly members: ReadonlySet<number>
  readonly admins: ReadonlySet<number>
  readonly owner: number | undefined
  readonly isBotAdmin: boolean
}

/** The bot as Telegram knows it. */
export interface BotAccount {
  readonly id: number
  readonly firstName: string
  readonly username: string
}

/** All people, chats and messages. Whatever changes is told to `onChange`. */
export interface World {
  readonly bot: BotAccount
  readonly people: ReadonlyMap<number, Person>
  /** The present time in whole seconds, as Telegram dates messages. */
  now(): number
  findChat(id: number): Chat | undefined
  chats(): readonly Chat[]
  changeChat(chat: Chat, change: Partial<ChatFlags>): void
  /** Beyond the latest 2000 messages of a chat the oldest is deleted. */
  addMessage(chat: Chat, message: NewMessage): ChatMessage
  changeMessage(chat: Chat, message: ChatMessage, change: Partial<ChatMessage>): ChatMessage
  /** Does nothing where there is no such message. */
  deleteMessage(chat: Chat, id: number): void
  /** Turns a group into a supergroup and returns that. */
  migrate(chat: Chat): Chat
}

export interface WorldOptions {
  readonly clock: Clock
  readonly bot: BotAccount
  readonly chats: readonly Group[]
  readonly people: readonly Person[]
  readonly onChange: (change: WorldChange) => void
}

/** A message added or changed, a message deleted, or flags of a chat. */
export type WorldChange = Extract<Happening, { readonly kind: 'message' | 'deleted' | 'facts' }>

/** Messages that a chat keeps. */
const MOST_MESSAGES = 2000

/** Ids up to this one are supergroups. */
const FIRST_SUPERGROUP = -1_000_000_000_000

/** Creates the chats: one for each person, and the groups. */
export function createWorld({ clock, bot, chats: groups, people, onChange }: WorldOptions): World {
  const chats = new Map<number, OwnChat>()
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

  const own = ({ id }: Chat) => {
    const chat = chats.get(id)
    if (chat === undefined) throw new Error(`There is no chat ${id}.`)
    return chat
  }

  const keep = (chat: Chat, message: ChatMessage) => {
    own(chat).messages.set(message.id, message)
    onChange({ kind: 'message', message })
    return message
  }

  const deleteMessage = (chat: Chat, id: number) => {
    if (own(chat).messages.delete(id)) onChange({ kind: 'deleted', chatId: chat.id, messageId: id })
  }

  const addMessage = (chat: Chat, said: NewMessage) => {
    const isFromBot = said.from === bot.id
    const defaults = { text: '', entities: [], buttons: [], edits: 0, isFromBot }
    const message: ChatMessage = { ...defaults, ...said, id: nextId(chat), chatId: chat.id, date: now() }
    keep(chat, message)
    const [oldest] = chat.messages.keys()
    if (chat.messages.size > MOST_MESSAGES && oldest !== undefined) deleteMessage(chat, oldest)
    return message
  }

  const changeChat = (chat: Chat, change: Partial<ChatFlags>) => {
    Object.assign(own(chat), change)
    onChange({ kind: 'facts' })
  }

  return {
    bot,
    people: new Map(people.map((person) => [person.id, person])),
    now,
    findChat: (id) => chats.get(id),
    chats: () => [...chats.values()],
    changeChat,
    addMessage,
    changeMessage: (chat, message, change) => keep(chat, { ...message, ...change }),
    deleteMessage,
    migrate: (chat) => {
      const id = FIRST_SUPERGROUP - Math.abs(chat.id)
      const supergroup: OwnChat = { ...chat, id, type: 'supergroup', messages: new Map(), isKicked: false }
      chats.set(id, supergroup)
      changeChat(chat, { migratedTo: id })
      return supergroup
    },
  }
}

/** A chat as only the world may change it. */
interface OwnChat extends Chat {
  readonly messages: Map<number, ChatMessage>
}

const nobody = { isBotAdmin: false, isBlocked: false, isKicked: false, owner: undefined, migratedTo: undefined }

function privateChat({ id, firstName, hasStarted = true }: Person): OwnChat {
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

function groupChat({ id, title, members, owner, admins = [], botIsAdmin = false }: Group, bot: BotAccount): OwnChat {
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
