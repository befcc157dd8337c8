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

interface SetOptions {
  readonly condition?: 'NX' | 'XX'
  readonly expiry?: { readonly afterMs: number } | 'KEEPTTL'
}

function set([key = '', text = '', ...words]: readonly string[], store: Keyspace): 'OK' | null {
  const { condition, expiry } = readSetOptions(words)
  const exists = store.kindOf(key) !== undefined
  if (condition !== undefined && exists !== (condition === 'XX')) return null
  store.put(key, 'string', Buffer.from(text))
  if (expiry !== 'KEEPTTL') store.setExpiry(key, expiry === undefined ? undefined : store.clock() + expiry.afterMs)
  return 'OK'
}

function readSetOptions(words: readonly string[]): SetOptions {
  let options: SetOptions = {}
  for (let at = 0; at < words.length; at++) {
    const word = words[at]?.toUpperCase()
    const { condition, expiry } = options
    if ((word === 'NX' || word === 'XX') && (condition === undefined || condition === word)) {
      options = { ...options, condition: word }
    } else if (word === 'KEEPTTL' && (expiry === undefined || expiry === 'KEEPTTL')) {
      options = { ...options, expiry: word }
    } else if ((word === 'EX' || word === 'PX') && expiry === undefined && at + 1 < words.length) {
      at += 1
      options = { ...options, expiry: { afterMs: readExpiry(words[at], word === 'EX' ? 1_000 : 1) } }
    } else {
      refuse(SYNTAX)
    }
  }
  return options
}

function readExpiry(word: string | undefined, unitMs: number): number {
  const afterMs = readInteger(word) * unitMs
  if (afterMs <= 0 || afterMs >= 2 ** 63) refuse("ERR invalid expire time in 'set' command")
  return afterMs
}
