import type { CommandTable } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { readInteger, refuse, SYNTAX } from './refused.ts'

/** Commands on strings. */
export const stringCommands: CommandTable = {
  GET: { arity: 2, run: ([key = ''], store) => store.find(key, 'string')?.toString() ?? null },
  MGET: { arity: -2, run: (keys, store) => keys.map((key) => stringOrNil(key, store)) },
  SET: { arity: -3, run: set },
  APPEND: { arity: 3, run: ([key = '', text = ''], store) => append(key, text, store) },
  STRLEN: { arity: 2, run: ([key = ''], store) => store.find(key, 'string')?.length ?? 0 },
  GETRANGE: { arity: 4, run: getRange },
}

const stringOrNil = (key: string, store: Keyspace) =>
  store.kindOf(key) === 'string' ? (store.find(key, 'string')?.toString() ?? null) : null

function append(key: string, text: string, store: Keyspace): number {
  const bytes = Buffer.concat([store.find(key, 'string') ?? Buffer.alloc(0), Buffer.from(text)])
  store.put(key, 'string', bytes)
  return bytes.length
}

function getRange([key = '', first, last]: readonly string[], store: Keyspace): string {
  const [start, end] = [readInteger(first), readInteger(last)]
  const bytes = store.find(key, 'string') ?? Buffer.alloc(0)
  if (start < 0 && end < 0 && start > end) return ''
  const fromEnd = (index: number) => Math.max(0, index < 0 ? bytes.length + index : index)
  return bytes.subarray(fromEnd(start), fromEnd(end) + 1).toString()
}

type SetOption = 'NX' | 'XX' | 'KEEPTTL' | 'EX' | 'PX'

/** The options that each option cannot stand beside. */
const excludes: Readonly<Record<SetOption, readonly SetOption[]>> = {
  NX: ['XX'],
  XX: ['NX'],
  KEEPTTL: ['EX', 'PX'],
  EX: ['PX', 'KEEPTTL'],
  PX: ['EX', 'KEEPTTL'],
}

function set([key = '', text = '', ...words]: readonly string[], store: Keyspace): 'OK' | null {
  const options = readSetOptions(words)
  const afterMs = readExpiry(options)
  const exists = store.kindOf(key) !== undefined
  if (exists ? options.has('NX') : options.has('XX')) return null
  store.put(key, 'string', Buffer.from(text))
  if (!options.has('KEEPTTL')) store.setExpiry(key, afterMs === undefined ? undefined : store.clock() + afterMs)
  return 'OK'
}

/** The options by name, EX and PX with the word behind them. */
function readSetOptions(words: readonly string[]): ReadonlyMap<SetOption, string> {
  const options = new Map<SetOption, string>()
  for (let at = 0; at < words.length; at++) {
    const option = words[at]?.toUpperCase() ?? ''
    if (!isSetOption(option) || excludes[option].some((other) => options.has(other))) return refuse(SYNTAX)
    const hasWord = option === 'EX' || option === 'PX'
    if (hasWord) at += 1
    options.set(option, hasWord ? (words[at] ?? refuse(SYNTAX)) : '')
  }
  return options
}

const isSetOption = (word: string): word is SetOption => Object.hasOwn(excludes, word)

function readExpiry(options: ReadonlyMap<SetOption, string>): number | undefined {
  const time = options.get('EX') ?? options.get('PX')
  if (time === undefined) return undefined
  const afterMs = readInteger(time) * (options.has('EX') ? 1_000 : 1)
  return afterMs <= 0 || afterMs >= 2 ** 63 ? refuse("ERR invalid expire time in 'set' command") : afterMs
}
