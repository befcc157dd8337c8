/**
 * What the chat page is told, as JSON. `GET /sandbox/events` (server-sent events) sends one `hello` with everything, then
 * what changes: `facts`, `message`, `deleted` and `traffic`.
 */

/** Everything, for a page that was just opened or that lost the connection. */
export interface Hello {
  /** Changes with each start of the service: a page that sees another one begins anew. */
  readonly run: string
  readonly version: string
  readonly facts: Facts
  /** The latest messages of all chats, oldest first within a chat. */
  readonly messages: readonly MessageView[]
  /** The latest calls and updates, oldest first. */
  readonly traffic: readonly TrafficRow[]
}

/** All that is small: sent whole whenever something of it changes. */
export interface Facts {
  readonly bot: { readonly id: number; readonly name: string; readonly username: string }
  readonly people: readonly PersonView[]
  readonly chats: readonly ChatFacts[]
  readonly store: StoreFacts
  readonly faults: FaultFacts
}

export interface PersonView {
  readonly id: number
  readonly name: string
  readonly role: 'admin' | 'courier' | 'vendor' | 'stranger'
}

export interface ChatFacts {
  readonly id: number
  readonly type: 'private' | 'group' | 'supergroup'
  readonly title: string
  /** People only, without the bot. A private chat has one: the person whose chat with the bot it is. */
  readonly memberIds: readonly number[]
  /** Private chats: whether the person pressed Start. True for groups. */
  readonly hasStarted: boolean
  /** Private chats: whether the person blocked the bot. */
  readonly isBlocked: boolean
  /** Groups: whether the bot was removed. */
  readonly isBotRemoved: boolean
  /** The command menu that each member sees here when typing a slash, by user id. */
  readonly menus: Readonly<Record<string, readonly CommandView[]>>
}

export interface CommandView {
  /** Without a slash. */
  readonly command: string
  readonly description: string
}

/** Where the orders are. */
export interface StoreFacts {
  readonly kind: 'memory' | 'tcp' | 'upstash'
  /** Orders of the story that this start found or put in; 0 where it told none. */
  readonly seeded: number
}

/** What goes wrong on purpose just now. */
export interface FaultFacts {
  /** Faults that wait for the next calls. */
  readonly planned: number
  readonly isDown: boolean
  /** Milliseconds by which each answer is late; 0 for none. */
  readonly slowMs: number
}

export interface MessageView {
  readonly chatId: number
  readonly id: number
  /** A user id, or the bot's. */
  readonly from: number
  /** Seconds since the epoch. */
  readonly date: number
  /** Present once it was edited. */
  readonly editDate?: number
  readonly text: string
  /** Offset and length in UTF-16 units, sorted by offset, longer ones first; they may nest, never overlap by halves. */
  readonly entities: readonly EntityView[]
  readonly buttons: readonly (readonly ButtonView[])[]
  readonly replyTo?: number
  readonly file?: FileView
  /** A line that Telegram itself says, such as that the group became a supergroup. */
  readonly service?: string
}

export interface EntityView {
  readonly type: string
  readonly offset: number
  readonly length: number
  readonly url?: string
  readonly language?: string
}

export interface ButtonView {
  readonly text: string
  /** A button with a link opens it; one without presses. */
  readonly url?: string
}

export interface FileView {
  readonly name: string
  readonly bytes: number
  /** A path of this server; a photo's bytes are a picture, a document's a download. */
  readonly path: string
  readonly photo?: { readonly width: number; readonly height: number }
}

/** One line of the traffic between bot and Telegram. The same number again replaces the line. */
export interface TrafficRow {
  readonly number: number
  readonly kind: 'call' | 'update' | 'intake'
  /** A method, the kind of an update, or a path. */
  readonly name: string
  /** HTTP status; absent while it is under way, and where the connection broke. */
  readonly status?: number
  readonly ms?: number
  /** Why it was refused, or what broke. */
  readonly failure?: string
  /** Parameters or body as JSON text, indented, cut at 4 000 characters; secrets are masked. */
  readonly detail: string
}

/**
 * What the page asks for: `POST /sandbox/actions/<name>` with a JSON object. Answers 200 with a JSON object, or with the
 * service's usual problem (`{ error: { code, message } }`), whose message may be shown.
 */
export interface Actions {
  /** Answers `{}`; also presses Start and unblocks the bot. */
  readonly say: { readonly personId: number; readonly chatId: number; readonly text: string }
  /** Answers a `PressView` once the bot answered, or after 15 s without an answer. */
  readonly press: {
    readonly personId: number
    readonly chatId: number
    readonly messageId: number
    /** Counted from 0. */
    readonly row: number
    readonly column: number
  }
  readonly block: { readonly personId: number; readonly isBlocked: boolean }
  /** Removes the bot from a group, or adds it again. */
  readonly membership: { readonly chatId: number; readonly isBotMember: boolean }
  /** Answers `{ id }` of the order, taken in through `POST /intake/orders`. */
  readonly order: Readonly<Record<string, never>>
  /** `calm` ends all of them. `down` lasts 10 s, `slow` is 2 s an answer. */
  readonly fault: { readonly kind: 'too-many' | 'down' | 'slow' | 'reset' | 'calm' }
  /** Sends the latest update again, with the same id. Answers `{ updateId }`, null when there was none. */
  readonly again: Readonly<Record<string, never>>
  /** Starts the whole service anew; with the embedded store the story begins again. Answers `{}`, then the connection ends. */
  readonly restart: Readonly<Record<string, never>>
}

/** How the bot answered a press. `isAnswered` is false, and there is no text, when it did not answer in time. */
export interface PressView {
  readonly toast: string | null
  /** Whether the text is to be confirmed, not only shown for a moment. */
  readonly isAlert: boolean
  readonly isAnswered: boolean
  readonly url: string | null
}
