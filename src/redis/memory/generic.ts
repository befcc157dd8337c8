import type { CommandTable } from './command.ts'
import { globTest } from './glob.ts'
import type { Keyspace } from './keyspace.ts'
import { readInteger, refuse, SYNTAX } from './refused.ts'

/** Commands on the store as a whole and on keys of any type. */
export const genericCommands: CommandTable = {
  PING: { arity: -1, run: ([message = 'PONG']) => message },
  INFO: {
    arity: -1,
    run: (_, store) => `# Server\r\nredis_version:7.0.0\r\n\r\n# Keyspace\r\ndb0:keys=${store.size}\r\n`,
  },
  DBSIZE: { arity: 1, run: (_, store) => store.size },
  FLUSHDB: { arity: -1, run: (_, store) => flush(store) },
  TYPE: { arity: 2, run: ([key = ''], store) => store.kindOf(key) ?? 'none' },
  EXISTS: { arity: -2, run: (keys, store) => keys.filter((key) => store.kindOf(key) !== undefined).length },
  DEL: { arity: -2, run: remove },
  UNLINK: { arity: -2, run: remove },
  EXPIRE: { arity: -3, run: (args, store) => expire('expire', args, store) },
  PEXPIRE: { arity: -3, run: (args, store) => expire('pexpire', args, store) },
  PERSIST: { arity: 2, run: ([key = ''], store) => persist(key, store) },
  TTL: { arity: 2, run: ([key = ''], store) => leftSeconds(leftMs(key, store)) },
  PTTL: { arity: 2, run: ([key = ''], store) => leftMs(key, store) },
  SCAN: { arity: -2, run: scan },
}

function flush(store: Keyspace): 'OK' {
  store.clear()
  return 'OK'
}

function remove(keys: readonly string[], store: Keyspace): number {
  return keys.filter((key) => store.remove(key)).length
}

/** The most milliseconds that Redis takes for an expiry. */
const LONGEST_MS = 2 ** 63

function expire(name: 'expire' | 'pexpire', [key = '', time, option]: readonly string[], store: Keyspace): number {
  if (option !== undefined) refuse(`ERR Unsupported option ${option}`)
  const afterMs = readInteger(time) * (name === 'expire' ? 1_000 : 1)
  if (Math.abs(afterMs) >= LONGEST_MS) refuse(`ERR invalid expire time in '${name}' command`)
  if (store.kindOf(key) === undefined) return 0
  store.setExpiry(key, store.clock() + afterMs)
  return 1
}

function persist(key: string, store: Keyspace): number {
  if (store.expiryOf(key) === undefined) return 0
  store.setExpiry(key, undefined)
  return 1
}

/** Milliseconds that a key has left; -1 for ever, -2 for no such key. */
function leftMs(key: string, store: Keyspace): number {
  if (store.kindOf(key) === undefined) return -2
  const expiresAtMs = store.expiryOf(key)
  return expiresAtMs === undefined ? -1 : expiresAtMs - store.clock()
}

const leftSeconds = (ms: number) => (ms < 0 ? ms : Math.round(ms / 1_000))

function scan([cursor = '', ...words]: readonly string[], store: Keyspace) {
  if (!/^\d{1,20}$/.test(cursor)) refuse('ERR invalid cursor')
  const { count, pattern, type } = readScanOptions(words)
  const { next, keys } = store.page(Number(cursor), count)
  const matches = globTest(pattern)
  return [String(next), keys.filter((key) => matches(key) && (type === undefined || store.kindOf(key) === type))]
}

interface ScanOptions {
  readonly count: number
  readonly pattern: string
  readonly type?: string
}

function readScanOptions(words: readonly string[]): ScanOptions {
  let options: ScanOptions = { count: 10, pattern: '*' }
  for (let at = 0; at < words.length; at += 2) {
    const [option = '', word = refuse(SYNTAX)] = words.slice(at, at + 2)
    options = { ...options, ...readScanOption(option.toUpperCase(), word) }
  }
  return options
}

function readScanOption(option: string, word: string): Partial<ScanOptions> {
  switch (option) {
    case 'MATCH':
      return { pattern: word }
    case 'TYPE':
      return { type: word.toLowerCase() }
    case 'COUNT': {
      const count = readInteger(word)
      return count < 1 ? refuse(SYNTAX) : { count }
    }
    default:
      return refuse(SYNTAX)
  }
}
