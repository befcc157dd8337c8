import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../clock.ts'
import type { BinaryConnection } from '../binary.ts'
import { createDigest, type Digest } from './digest.ts'
import { createExpiry, dumpKeys } from './dump-keys.ts'
import type { Entry } from './entries.ts'
import { BackupError } from './errors.ts'
import { readLibraries } from './libraries.ts'
import { encodeLine, type Line } from './logical-line.ts'
import { scanKeys } from './scan-keys.ts'
import { totalOf, type DatabaseCount, type ServerFacts } from './server-facts.ts'

export interface LogicalDumpOptions {
  readonly connection: BinaryConnection
  readonly facts: ServerFacts
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
}

/** What a logical dump came to. Keys that went while it was made are not in it. */
export interface LogicalDump extends Digest {
  readonly databases: readonly DatabaseCount[]
}

/** SCAN may name a key twice, and this many names fit into our memory to tell. */
const MOST_KEYS = 1_000_000

/** Bytes of payloads that one answer should carry at most, judged by the largest of the last one. */
const ANSWER_BYTES = 4_000_000
const FIRST_KEYS_PER_REQUEST = 20
const MOST_KEYS_PER_REQUEST = 500

/** Characters that are written at once. */
const WRITE_CHARACTERS = 500_000

/**
 * Reads every key by SCAN and DUMP into a new file. Not a picture of one moment: what is written meanwhile may be in it or
 * not. Costs 2 commands a key, 1 per 1 000 keys, and at most 2.
 *
 * @throws BackupError, RedisError, and what the system says.
 */
export async function writeLogicalDump(file: string, options: LogicalDumpOptions): Promise<LogicalDump> {
  const { facts, signal } = options
  if (totalOf(facts.databases) > MOST_KEYS) {
    const message = `The server holds more than ${MOST_KEYS} keys, which are not read one by one. Install redis-cli here, or use the provider's own backup.`
    throw new BackupError('BACKUP_UNFIT', message)
  }
  const counts = new Map<number, { keys: number; expiring: number }>()
  const count = ({ database, expiresAtMs }: Entry) => {
    const found = counts.get(database) ?? { keys: 0, expiring: 0 }
    counts.set(database, { keys: found.keys + 1, expiring: found.expiring + (expiresAtMs === undefined ? 0 : 1) })
  }
  const digest = createDigest()
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true })
  await pipeline(textOf(linesOf(options, count)), digest.pass, target, { signal })
  const databases = [...counts].map(([database, found]) => ({ database, ...found }))
  return { ...digest.end(), databases }
}

async function* textOf(lines: AsyncIterable<Line>): AsyncGenerator<Buffer> {
  let text = ''
  for await (const line of lines) {
    for (const piece of encodeLine(line)) {
      text += piece
      if (text.length < WRITE_CHARACTERS) continue
      yield Buffer.from(text, 'latin1')
      text = ''
    }
  }
  yield Buffer.from(text, 'latin1')
}

async function* linesOf(options: LogicalDumpOptions, count: (entry: Entry) => void): AsyncGenerator<Line> {
  const { connection, facts, signal, onProgress } = options
  for (const { code } of await readLibraries(connection, facts)) yield { kind: 'library', code }
  const expiry = await createExpiry(connection, options)
  let [written, atOnce] = [0, FIRST_KEYS_PER_REQUEST]
  for (const { database } of facts.databases) {
    const seen = new Set<string>()
    for await (const page of scanKeys(connection, database)) {
      const keys = page.filter((key) => isNew(seen, key))
      for (let at = 0; at < keys.length;) {
        signal.throwIfAborted()
        const entries = await dumpKeys(connection, keys.slice(at, at + atOnce), { database, expiry })
        at += atOnce
        atOnce = nextAtOnce(entries)
        for (const entry of entries) {
          count(entry)
          yield { kind: 'entry', entry }
        }
        written += entries.length
        onProgress(`${written} keys read`)
      }
    }
  }
}

function isNew(seen: Set<string>, key: Buffer): boolean {
  const name = key.toString('latin1')
  if (seen.has(name)) return false
  seen.add(name)
  return true
}

function nextAtOnce(entries: readonly Entry[]): number {
  const largest = entries.reduce((most, { payload }) => Math.max(most, payload.length), 1)
  return Math.min(Math.max(Math.floor(ANSWER_BYTES / largest), 1), MOST_KEYS_PER_REQUEST)
}
