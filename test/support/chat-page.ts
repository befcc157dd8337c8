import type { Actions, Facts, Hello, MessageView, TrafficRow } from '../../src/sandbox/page-view.ts'
import { asha } from '../../src/sandbox/people.ts'
import { waitFor } from './service-process.ts'

/** What an action was answered with. */
export interface ActionAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** The chat page of a sandbox as a program: it keeps what it is told, and does what a person would press. */
export interface ChatPage {
  /** What the page was told first. */
  readonly hello: Hello
  readonly facts: Facts
  /** All that was told, as text. */
  readonly told: string
  /** Whether the server ended the connection. */
  readonly isOver: boolean
  /** A chat as it is now, oldest first. */
  messages(chatId: number): readonly MessageView[]
  /** The traffic as it is now, oldest first. */
  traffic(): readonly TrafficRow[]
  /** A chat of these people, by the beginning of its title. */
  chatId(title: string): number
  act<Name extends keyof Actions>(name: Name, action: Actions[Name]): Promise<ActionAnswer>
  /** Presses the button of a message with this text. */
  press(personId: number, message: MessageView, text: string): Promise<ActionAnswer>
  /** Leaves the page. */
  close(): void
}

/** Opens the page of the sandbox at an address. Rejects when nobody answers there within 3 s. */
export async function openChatPage(url: string): Promise<ChatPage> {
  const leaving = new AbortController()
  const deadline = setTimeout(() => leaving.abort(new Error(`No event came from ${url}.`)), 3_000)
  const response = await fetch(`${url}/sandbox/events`, { signal: leaving.signal })
  if (response.status !== 200 || response.body === null) throw new Error(`The events were answered ${response.status}.`)
  const known = createKnowledge()
  let isOver = false
  void listen(response.body, known.hear)
    .catch(() => undefined)
    .finally(() => (isOver = true))
  const hello = await waitFor(known.hello, 3_000)
  clearTimeout(deadline)

  const act: ChatPage['act'] = async (name, action) => {
    const answer = await fetch(`${url}/sandbox/actions/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify(action),
      signal: AbortSignal.timeout(20_000),
    })
    return { status: answer.status, body: (await answer.json()) as ActionAnswer['body'] }
  }

  return {
    hello,
    get facts() {
      return known.facts() ?? hello.facts
    },
    get told() {
      return known.told()
    },
    get isOver() {
      return isOver
    },
    messages: known.messages,
    traffic: known.traffic,
    chatId: (title) => {
      const chat = hello.facts.chats.find((one) => one.title.startsWith(title))
      if (chat === undefined) throw new Error(`There is no chat ${title}.`)
      return chat.id
    },
    act,
    press: (personId, { chatId, id: messageId, buttons }, text) => {
      const row = buttons.findIndex((labels) => labels.some((label) => label.text === text))
      const column = buttons[row]?.findIndex((label) => label.text === text) ?? -1
      return act('press', { personId, chatId, messageId, row, column })
    },
    close: () => leaving.abort(),
  }
}

/** Has Asha clean up, and resolves with what the bot answers in the end. */
export async function cleanUp(page: ChatPage, days = 2): Promise<string> {
  await waitFor(() => page.traffic().some(({ name, status }) => name === 'setWebhook' && status === 200))
  await page.act('say', { personId: asha.id, chatId: asha.id, text: `/cleanup ${days}` })
  return (await waitFor(() => page.messages(asha.id).findLast(({ text }) => text.includes('Deleted:')))).text
}

/** The card in the dispatch group that has these words, once it is there. */
export function orderCard(page: ChatPage, words: string, withinMs = 15_000): Promise<MessageView> {
  const group = page.chatId('Dispatch')
  return waitFor(() => page.messages(group).findLast(({ text }) => text.includes(words)), withinMs)
}

/** What a page knows from the events that it was told. */
function createKnowledge() {
  const messages = new Map<string, MessageView>()
  const traffic = new Map<number, TrafficRow>()
  let hello: Hello | undefined
  let facts: Facts | undefined
  let told = ''
  const keep = (message: MessageView) => messages.set(`${message.chatId} ${message.id}`, message)

  const hear = (event: string, text: string) => {
    told += `${event} ${text}\n`
    if (event === 'hello') {
      hello = JSON.parse(text) as Hello
      facts = hello.facts
      hello.messages.forEach(keep)
      for (const row of hello.traffic) traffic.set(row.number, row)
    }
    if (event === 'facts') facts = JSON.parse(text) as Facts
    if (event === 'message') keep(JSON.parse(text) as MessageView)
    if (event === 'traffic') {
      const row = JSON.parse(text) as TrafficRow
      traffic.set(row.number, row)
    }
    if (event === 'deleted') {
      const { chatId, messageId } = JSON.parse(text) as { readonly chatId: number; readonly messageId: number }
      messages.delete(`${chatId} ${messageId}`)
    }
  }

  return {
    hear,
    hello: () => hello,
    facts: () => facts,
    told: () => told,
    messages: (chatId: number) => [...messages.values()].filter((message) => message.chatId === chatId),
    traffic: () => [...traffic.values()].toSorted((one, other) => one.number - other.number),
  }
}

/** Reads server-sent events until the connection ends. */
async function listen(body: ReadableStream<Uint8Array>, hear: (event: string, text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1]
      const content = /^data: (.*)$/m.exec(block)?.[1]
      if (event !== undefined && content !== undefined) hear(event, content)
    }
  }
}
