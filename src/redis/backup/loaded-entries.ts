import type { Clock } from '../../clock.ts'
import { askBinary, binaryListOf, type BinaryConnection } from '../binary.ts'
import { createExpiry, type Expiry } from './dump-keys.ts'
import { BATCH_BYTES, BATCH_KEYS, type Entry } from './entries.ts'
import { scanKeys } from './scan-keys.ts'
import type { ServerFacts } from './server-facts.ts'

/**
 * Reads keys until their values are so many bytes. KEYS: the keys; ARGV[1]: the command that tells their expiry, ARGV[2]:
 * the bytes. Returns for each key that it read its DUMP and its expiry. One command in place of two a key, and bounded
 * without knowing the sizes before.
 */
const READ = `
local found, bytes = {}, 0
for at, key in ipairs(KEYS) do
  local payload = redis.call('DUMP', key)
  found[2 * at - 1], found[2 * at] = payload, redis.call(ARGV[1], key)
  if payload then bytes = bytes + #payload end
  if bytes >= tonumber(ARGV[2]) then break end
end
return found`

/** Every key of a private server. What expires there meanwhile is left out; a key may come twice. */
export async function* loadedEntries(
  connection: BinaryConnection,
  { facts, clock }: { readonly facts: ServerFacts; readonly clock: Clock },
): AsyncGenerator<Entry> {
  const expiry = await createExpiry(connection, { facts, clock })
  for (const { database } of facts.databases) {
    for await (const page of scanKeys(connection, database)) {
      for (let at = 0; at < page.length;) {
        const keys = page.slice(at, at + BATCH_KEYS)
        const replies = binaryListOf(
          await askBinary(connection, ['EVAL', READ, keys.length, ...keys, expiry.command, BATCH_BYTES]),
        )
        yield* keys.flatMap((key, one) => entryOf(replies.slice(2 * one, 2 * one + 2), { database, key, expiry }))
        at += replies.length / 2
      }
    }
  }
}

interface Place extends Pick<Entry, 'database' | 'key'> {
  readonly expiry: Expiry
}

/** None for a key that was not read, or has gone. */
function entryOf([payload, expires]: readonly unknown[], { database, key, expiry }: Place): readonly Entry[] {
  if (!Buffer.isBuffer(payload)) return []
  return [{ database, key, payload, expiresAtMs: expiry.atMs(Number(expires)) }]
}
