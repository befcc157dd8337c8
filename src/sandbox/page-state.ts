import type { ChatMessage, ChatView, DeliveryAttempt, LoggedCall, StandIn, StoredFile } from './bot-api/stand-in.ts'
import { personViews } from './people.ts'
import type { ChatFacts, Facts, FileView, Hello, MessageView, StoreFacts, TrafficRow } from './page-view.ts'

export interface PageStateDeps {
  readonly version: string
  readonly run: string
  readonly telegram: StandIn
  readonly store: () => StoreFacts
}

/** How an order was let in; without status and duration while it is under way. */
export interface LoggedIntake {
  /** Counts from 1. */
  readonly number: number
  readonly order: object
  readonly status?: number
  readonly ms?: number
  /** Why it was not taken in. */
  readonly problem?: string
}

/** What the page is told, made of what the stand-in knows. */
export interface PageState {
  hello(): Hello
  facts(): Facts
  message(message: ChatMessage): MessageView
  /** Note a call, a delivery or an intake, and return its line. The same call again keeps its line. */
  noteCall(call: LoggedCall): TrafficRow
  noteDelivery(attempt: DeliveryAttempt): TrafficRow
  noteIntake(intake: LoggedIntake): TrafficRow
}

/** Messages of a chat and lines of traffic that a page is given when it opens. */
const MOST_MESSAGES = 300
const MOST_ROWS = 300

/** Characters of a line's detail. */
const LONGEST_DETAIL = 4_000

export function createPageState({ telegram, store, run, version }: PageStateDeps): PageState {
  const rows = new Map<string, TrafficRow>()
  let lastNumber = 0

  const note = (key: string, row: Omit<TrafficRow, 'number'>): TrafficRow => {
    const noted = { number: rows.get(key)?.number ?? ++lastNumber, ...row }
    rows.set(key, noted)
    const [oldest] = rows.keys()
    if (rows.size > MOST_ROWS && oldest !== undefined) rows.delete(oldest)
    return noted
  }

  const facts = (): Facts => ({
    bot: { id: telegram.bot.id, name: telegram.bot.firstName, username: telegram.bot.username },
    people: personViews,
    chats: telegram.chats().map((chat) => chatFacts(chat, telegram)),
    store: store(),
    faults: telegram.faults(),
  })

  return {
    facts,
    message: messageView,
    hello: () => ({
      run,
      version,
      facts: facts(),
      messages: telegram.chats().flatMap(({ messages }) => messages.slice(-MOST_MESSAGES).map(messageView)),
      traffic: [...rows.values()],
    }),
    noteCall: ({ number, method, params, description, ...outcome }) =>
      note(`bot ${number}`, {
        kind: 'call',
        name: method,
        ...outcomeOf(outcome),
        ...(description !== undefined && { failure: description }),
        detail: detailOf(params),
      }),
    noteDelivery: ({ number, kind, failure, body, ...outcome }) =>
      note(`bot ${number}`, {
        kind: 'update',
        name: kind,
        ...outcomeOf(outcome),
        ...(failure !== undefined && { failure }),
        detail: detailOf(body),
      }),
    noteIntake: ({ number, order, problem, ...outcome }) =>
      note(`intake ${number}`, {
        kind: 'intake',
        name: '/intake/orders',
        ...outcomeOf(outcome),
        ...(problem !== undefined && { failure: problem }),
        detail: detailOf(order),
      }),
  }
}

const outcomeOf = ({ status, ms }: Pick<LoggedCall, 'status' | 'ms'>) => ({
  ...(status !== undefined && { status }),
  ...(ms !== undefined && { ms }),
})

function detailOf(body: object): string {
  const text = JSON.stringify(body, null, 2)
  return text.length <= LONGEST_DETAIL ? text : `${text.slice(0, LONGEST_DETAIL)} …`
}

/** A group that became a supergroup is left out of the page's sight: it has no members any more. */
function chatFacts(chat: ChatView, telegram: StandIn): ChatFacts {
  const { id, type, title, hasStarted, isBlocked, isBotRemoved, migratedTo } = chat
  const memberIds = migratedTo === undefined ? chat.memberIds : []
  const menus = Object.fromEntries(memberIds.map((member) => [member, telegram.menuFor(member, id)]))
  return { id, type, title, memberIds, hasStarted, isBlocked, isBotRemoved, menus }
}

function messageView(message: ChatMessage): MessageView {
  const { chatId, id, from, date, editDate, text, replyTo, migrateTo, migrateFrom } = message
  const file = message.photo ?? message.document
  const isService = migrateTo !== undefined || migrateFrom !== undefined
  return {
    chatId,
    id,
    from,
    date,
    ...(editDate !== undefined && { editDate }),
    text,
    entities: message.entities.map(({ type, offset, length, url, language }) => ({
      type,
      offset,
      length,
      ...(url !== undefined && { url }),
      ...(language !== undefined && { language }),
    })),
    buttons: message.buttons.map((row) =>
      row.map(({ text: label, url }) => ({ text: label, ...(url !== undefined && { url }) })),
    ),
    ...(replyTo !== undefined && { replyTo }),
    ...(file !== undefined && { file: fileView(file) }),
    ...(isService && { service: 'The group became a supergroup.' }),
  }
}

/** Where the page finds the bytes of a file. */
export const FILES_PATH = '/sandbox/files'

function fileView({ fileId, fileName, size, width, height }: StoredFile): FileView {
  const photo = width === undefined || height === undefined ? undefined : { width, height }
  return { name: fileName, bytes: size, path: `${FILES_PATH}/${fileId}`, ...(photo !== undefined && { photo }) }
}
