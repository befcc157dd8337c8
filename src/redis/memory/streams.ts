import type { Value } from '../transport.ts'
import type { CommandTable } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { readInteger, refuse, SYNTAX } from './refused.ts'

/** A log of entries that only grows at its end and is cut at its beginning. */
export interface Stream {
  entries: Entry[]
  /** The id of the latest entry, which stays known when that entry is cut off. */
  lastId: Id
}

interface Entry {
  readonly id: Id
  /** Names and values in turns. */
  readonly fields: readonly string[]
}

/** Milliseconds since the epoch and a number within the millisecond. */
type Id = readonly [ms: number, number: number]

/** Commands on streams. */
export const streamCommands: CommandTable = {
  XADD: { arity: -5, run: add },
  XLEN: { arity: 2, run: ([key = ''], store) => store.find(key, 'stream')?.entries.length ?? 0 },
  XRANGE: {
    arity: -4,
    run: ([key = '', first = '', last = '', ...rest], store) => range(key, { first, last, rest }, store),
  },
  XREVRANGE: {
    arity: -4,
    run: ([key = '', last = '', first = '', ...rest], store) =>
      range(key, { first, last, rest, isBackwards: true }, store),
  },
}

const BAD_ID = 'ERR Invalid stream ID specified as stream command argument'

function add([key = '', ...words]: readonly string[], store: Keyspace): string {
  const { maxLength, rest } = readTrim(words)
  const [idWord = '', ...fields] = rest
  const wanted = idWord === '*' ? undefined : readNewId(idWord)
  if (fields.length === 0 || fields.length % 2 === 1) refuse("ERR wrong number of arguments for 'xadd' command")
  if (wanted?.[0] === 0 && wanted[1] === 0) refuse('ERR The ID specified in XADD must be greater than 0-0')
  const lastId = store.find(key, 'stream')?.lastId ?? [0, 0]
  const id = nextId(wanted, lastId, store.clock())
  const stream = store.open(key, 'stream', () => ({ entries: [], lastId }))
  stream.entries.push({ id, fields })
  stream.lastId = id
  if (stream.entries.length > maxLength) stream.entries = stream.entries.slice(stream.entries.length - maxLength)
  return textOfId(id)
}

/** Reads `MAXLEN [=|~] n`. `~` allows a server to keep more; here it cuts exactly too. */
function readTrim([option = '', ...words]: readonly string[]) {
  if (option.toUpperCase() !== 'MAXLEN') return { maxLength: Infinity, rest: [option, ...words] }
  const [first = '', second] = words
  const hasSign = first === '=' || first === '~'
  const maxLength = readInteger(hasSign ? second : first)
  if (maxLength < 0) refuse('ERR The MAXLEN argument must be >= 0.')
  return { maxLength, rest: words.slice(hasSign ? 2 : 1) }
}

/** Reads an explicit id; `ms-*` leaves the number to the store. */
function readNewId(word: string): readonly [ms: number, number: number | undefined] {
  return word.endsWith('-*') ? [readIdPart(word.slice(0, -2)), undefined] : readId(word, 0)
}

function nextId(wanted: readonly [number, number | undefined] | undefined, lastId: Id, nowMs: number): Id {
  const after: Id = [lastId[0], lastId[1] + 1]
  if (wanted === undefined) return nowMs > lastId[0] ? [nowMs, 0] : after
  const [ms, number = ms === lastId[0] ? after[1] : 0] = wanted
  if (compare([ms, number], lastId) <= 0) {
    refuse('ERR The ID specified in XADD is equal or smaller than the target stream top item')
  }
  return [ms, number]
}

interface Range {
  readonly first: string
  readonly last: string
  readonly rest: readonly string[]
  readonly isBackwards?: boolean
}

function range(key: string, { first, last, rest, isBackwards = false }: Range, store: Keyspace): Value {
  const isFrom = readBound(first, 0)
  const isTo = readBound(last, Infinity)
  const count = readCount(rest)
  const stream = store.find(key, 'stream')
  if (stream === undefined) return []
  if (count <= 0) return null
  const found = stream.entries.filter(({ id }) => isFrom(id) >= 0 && isTo(id) <= 0)
  return (isBackwards ? found.toReversed() : found).slice(0, count).map(({ id, fields }) => [textOfId(id), fields])
}

function readCount([option, count, ...others]: readonly string[]): number {
  if (option === undefined) return Infinity
  if (option.toUpperCase() !== 'COUNT' || count === undefined || others.length > 0) refuse(SYNTAX)
  return readInteger(count)
}

/** Compares ids with a bound: `-`, `+`, an id without its number (which is `missing` then), `(` in front to leave it out. */
function readBound(word: string, missing: number): (id: Id) => number {
  if (word === '-') return () => 1
  if (word === '+') return () => -1
  const isOpen = word.startsWith('(')
  const bound = readId(isOpen ? word.slice(1) : word, missing)
  const beside = missing === 0 ? -1 : 1
  return (id) => compare(id, bound) || (isOpen ? beside : 0)
}

function readId(word: string, missing: number): Id {
  const [ms = '', number, ...others] = word.split('-')
  if (others.length > 0) refuse(BAD_ID)
  return [readIdPart(ms), number === undefined ? missing : readIdPart(number)]
}

function readIdPart(word: string): number {
  if (!/^\d{1,16}$/.test(word)) refuse(BAD_ID)
  return Number(word)
}

const compare = (one: Id, other: Id) => one[0] - other[0] || one[1] - other[1]
const textOfId = ([ms, number]: Id) => `${ms}-${number}`
