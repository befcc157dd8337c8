import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CommandView, EntityView, Facts, Hello, MessageView } from '../../src/sandbox/page-view.ts'

/** The page is plain JavaScript, which the compiler of the service does not read: a test says what it uses of it. */
const pageModule = async <Module>(name: string) =>
  (await import(new URL(`../../src/sandbox/page/${name}`, import.meta.url).href)) as Module

interface TextNode {
  readonly type: string
  readonly text: string
  readonly url?: string
  readonly children: readonly TextNode[]
}

interface PageState {
  begin(hello: Hello): void
  add(message: MessageView): void
  remove(where: { readonly chatId: number; readonly messageId: number }): void
  actAs(personId: number): void
  open(chatId: number): void
  see(): void
  person(): { readonly id: number } | undefined
  chat(): { readonly id: number } | undefined
  chats(): readonly { readonly id: number }[]
  messages(chatId: number): readonly MessageView[]
  unread(chatId: number): number
}

const { textTree, safeLink } = await pageModule<{
  textTree: (text: string, entities: readonly EntityView[]) => readonly TextNode[]
  safeLink: (address: string) => string | undefined
}>('text-tree.js')
const { commandsFor, movedIndex } = await pageModule<{
  commandsFor: (menu: readonly CommandView[], typed: string) => readonly CommandView[]
  movedIndex: (key: string, index: number, count: number) => number | undefined
}>('menu-filter.js')
const { counted, duration, fileSize, timeOfDay } = await pageModule<{
  counted: (number: number, noun: string) => string
  duration: (ms: number) => string
  fileSize: (bytes: number) => string
  timeOfDay: (seconds: number, timeZone?: string) => string
}>('figures.js')
const { createState } = await pageModule<{ createState: () => PageState }>('state.js')

/** A tree in brackets: `bold(Hello italic(you))`. */
const inBrackets = (nodes: readonly TextNode[]): string =>
  nodes.map(({ type, text, children }) => (type === 'plain' ? text : `${type}(${inBrackets(children)})`)).join('')

const leaves = (nodes: readonly TextNode[]): string =>
  nodes.map(({ type, text, children }) => (type === 'plain' ? text : leaves(children))).join('')

const entity = (type: string, offset: number, length: number): EntityView => ({ type, offset, length })

describe('formatted text as a tree', () => {
  it.each([
    ['nothing', 'Hello', [], 'Hello'],
    ['one entity', 'Hello you', [entity('bold', 6, 3)], 'Hello bold(you)'],
    ['nested ones', 'Hello you', [entity('bold', 0, 9), entity('italic', 6, 3)], 'bold(Hello italic(you))'],
    ['the same place twice', 'you', [entity('bold', 0, 3), entity('italic', 0, 3)], 'bold(italic(you))'],
    ['neighbours', 'abcd', [entity('bold', 0, 2), entity('code', 2, 2)], 'bold(ab)code(cd)'],
    ['overlap by halves', 'abcdef', [entity('bold', 0, 4), entity('italic', 2, 4)], 'bold(abitalic(cd))italic(ef)'],
    ['wrong order', 'abcd', [entity('code', 2, 1), entity('bold', 0, 4)], 'bold(abcode(c)d)'],
    ['one beyond the end', 'abc', [entity('bold', 2, 99)], 'abbold(c)'],
    ['one outside', 'abc', [entity('bold', 7, 2), entity('bold', -1, 2)], 'abc'],
    ['lengths that are none', 'abc', [entity('bold', 0, 0), entity('bold', 0, Number.NaN), entity('i', 0, 1.5)], 'abc'],
    ['half a character', 'a🎉b', [entity('bold', 2, 1)], 'abold(🎉)b'],
    ['markup', '<b>x</b>', [entity('code', 0, 3)], 'code(<b>)x</b>'],
    ['breaks around a block', 'a\nb\nc', [entity('pre', 2, 1)], 'apre(b)c'],
    ['one break of several', 'a\n\nb\n\nc', [entity('blockquote', 3, 1)], 'a\nblockquote(b)\nc'],
  ] as const)('shows %s', (_, text, entities, expected) => {
    expect(inBrackets(textTree(text, entities))).toBe(expected)
  })

  it('never loses a character, whatever the entities', () => {
    const entities = fc.array(
      fc.record({
        type: fc.constantFrom('bold', 'italic', 'spoiler', 'text_link'),
        offset: fc.integer({ min: -3, max: 40 }),
        length: fc.integer({ min: -3, max: 40 }),
      }),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), entities, (text, given) => {
        const tree = textTree(text, given)

        expect(leaves(tree)).toBe(text)
      }),
    )
  })
})

describe('a link', () => {
  it.each([
    ['https://example.org/a?b=1', 'https://example.org/a?b=1'],
    ['example.org', 'http://example.org/'],
    ['localhost:3000/dashboard', 'http://localhost:3000/dashboard'],
    ['tg://user?id=1', 'tg://user?id=1'],
  ])('%s may be followed', (address, href) => {
    expect(safeLink(address)).toBe(href)
  })

  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'java\nscript:alert(1)',
    '\u0001javascript:alert(1)',
    ' javascript:1',
    'javascript:1',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:http://localhost/1',
    '',
    'http://',
  ])('%j may not', (address) => {
    const href = safeLink(address)

    // Where it is not refused it is an address of the web, which runs nothing here.
    expect(href === undefined || href.startsWith('http://')).toBe(true)
  })
})

describe('the command menu', () => {
  const menu = ['start', 'status', 'cleanup'].map((command) => ({ command, description: '' }))

  it.each([
    ['/', ['start', 'status', 'cleanup']],
    ['/st', ['start', 'status']],
    ['/ST', ['start', 'status']],
    ['/x', []],
    ['', []],
    ['hello', []],
    [' /', []],
    ['/cleanup 2', []],
    ['/\n', []],
  ])('offers for %j: %j', (typed, expected) => {
    expect(commandsFor(menu, typed).map(({ command }) => command)).toEqual(expected)
  })

  it.each([
    ['ArrowDown', 0, 1],
    ['ArrowDown', 2, 0],
    ['ArrowUp', 0, 2],
    ['ArrowUp', -1, 2],
    ['Home', 2, 0],
    ['End', 0, 2],
    ['x', 0, undefined],
  ])('%s leads from %i to %s', (key, from, to) => {
    expect(movedIndex(key, from, 3)).toBe(to)
  })
})

it('writes figures for people', () => {
  expect([duration(0.42), duration(7), duration(12.6), duration(1250), duration(2000)]).toEqual([
    '0.4 ms',
    '7 ms',
    '13 ms',
    '1.3 s',
    '2 s',
  ])
  expect([fileSize(900), fileSize(1234), fileSize(33_000), fileSize(2_500_000)]).toEqual([
    '900 B',
    '1.2 kB',
    '33 kB',
    '2.5 MB',
  ])
  expect([counted(1, 'member'), counted(3, 'member')]).toEqual(['1 member', '3 members'])
  expect(timeOfDay(Date.UTC(2025, 11, 8, 22, 59) / 1000, 'Europe/Berlin')).toBe('23:59')
})

const chat = (id: number, type: 'private' | 'group', memberIds: readonly number[]) => ({
  id,
  type,
  title: `Chat ${id}`,
  memberIds,
  hasStarted: true,
  isBlocked: false,
  isBotRemoved: false,
  menus: {},
})
const facts: Facts = {
  bot: { id: 99, name: 'Orderly', username: 'orderly_bot' },
  people: [
    { id: 1, name: 'Asha', role: 'admin' },
    { id: 5, name: 'Sam', role: 'stranger' },
  ],
  chats: [chat(1, 'private', [1]), chat(5, 'private', [5]), chat(-7, 'group', [1])],
  store: { kind: 'memory', seeded: 225 },
  faults: { planned: 0, isDown: false, slowMs: 0 },
}
const message = (chatId: number, id: number, from = 99): MessageView => ({
  chatId,
  id,
  from,
  date: 0,
  text: `Message ${id}`,
  entities: [],
  buttons: [],
})
const begun = (run = 'one') => {
  const state = createState()
  state.begin({ run, version: '1', facts, messages: [message(-7, 1)], traffic: [] })
  return state
}

describe('what the page knows', () => {
  it('shows a person the chats that they are in, groups first', () => {
    const state = begun()
    const chatsOfAsha = state.chats().map(({ id }) => id)

    state.actAs(5)

    expect(chatsOfAsha).toEqual([-7, 1])
    expect(state.chats().map(({ id }) => id)).toEqual([5])
    expect(state.chat()?.id).toBe(5)
  })

  it('counts what is new, but neither what was there at the start nor what the person wrote', () => {
    const state = begun()

    for (const each of [message(-7, 2), message(-7, 3, 1), message(-7, 4)]) state.add(each)
    const before = state.unread(-7)
    state.see()

    expect(before).toBe(2)
    expect(state.unread(-7)).toBe(0)
  })

  it('keeps the latest 300 messages of a chat', () => {
    const state = begun()

    for (let id = 2; id <= 350; id++) state.add(message(-7, id))
    state.remove({ chatId: -7, messageId: 350 })

    expect(state.messages(-7)).toHaveLength(299)
    expect(state.messages(-7)[0]?.id).toBe(51)
  })

  it('begins anew with another run and keeps the person', () => {
    const state = begun()
    state.actAs(5)
    state.add(message(5, 9))

    state.begin({ run: 'two', version: '1', facts, messages: [], traffic: [] })

    expect(state.person()?.id).toBe(5)
    expect(state.messages(5)).toEqual([])
  })
})
