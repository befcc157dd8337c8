import { bytesOf, openBinary, type BinaryCommand, type BinaryConnection } from '../../../src/redis/binary.ts'

/** Databases that the keys are spread over. */
export const DATABASES = [0, 3, 15] as const

const FUNCTION = "#!lua name=orderlytest\nredis.register_function('answer', function() return 42 end)"

/** Fills a server with so many keys of every type, a third of them with an expiry, and with a function. */
export async function fillWithVariety(url: string, keys: number): Promise<void> {
  const connection = await openBinary({ url })
  try {
    for (const [place, database] of DATABASES.entries()) {
      await sendAll(connection, [['SELECT', database]])
      const own = Array.from({ length: keys }, (_, at) => at).filter((at) => at % DATABASES.length === place)
      for (let at = 0; at < own.length; at += 1_000) {
        await sendAll(connection, own.slice(at, at + 1_000).flatMap(commandsFor))
      }
    }
    await sendAll(connection, [
      ['FUNCTION', 'LOAD', FUNCTION],
      ['SELECT', 0],
      // An empty name is a name, too.
      ['SETRANGE', '', 0, ''],
      ['SET', '', 'no name'],
    ])
  } finally {
    connection.close()
  }
}

/** What every key of a server is, by database and name: its expiry and the bytes of its value. */
export async function contentOf(url: string): Promise<ReadonlyMap<string, string>> {
  const connection = await openBinary({ url })
  const found = new Map<string, string>()
  try {
    for (const database of DATABASES) {
      await sendAll(connection, [['SELECT', database]])
      let cursor = '0'
      do {
        const [page] = await sendAll(connection, [['SCAN', cursor, 'COUNT', 2_000]])
        const [next, keys] = page as [Buffer, Buffer[]]
        const [told] = await sendAll(connection, [['EVAL', LOOK, keys.length, ...keys]])
        for (const [at, key] of keys.entries()) {
          found.set(`${database}:${key.toString('latin1')}`, String((told as Buffer[])[at]))
        }
        cursor = next.toString()
      } while (cursor !== '0')
    }
    // What has no order is compared by the server's own digest, which needs `--enable-debug-command yes`.
    const [digest] = await sendAll(connection, [['DEBUG', 'DIGEST']])
    found.set('digest', bytesOf(digest).toString())
    return found
  } finally {
    connection.close()
  }
}

/** Expiry and hash of the value of each key. Of a table with hashes DUMP differs from process to process. */
const LOOK = `
local told = {}
for at, key in ipairs(KEYS) do
  local encoding = redis.call('OBJECT', 'ENCODING', key)
  local payload = encoding == 'hashtable' and '' or redis.call('DUMP', key)
  told[at] = encoding .. ' ' .. string.format('%.0f', redis.call('PEXPIRETIME', key)) .. ' ' .. redis.sha1hex(payload)
end
return told`

async function sendAll(connection: BinaryConnection, commands: readonly BinaryCommand[]) {
  const replies = await connection.send(commands)
  const refused = replies.find((reply) => typeof reply === 'object' && reply !== null && 'error' in reply)
  if (refused !== undefined) throw new Error(JSON.stringify(refused))
  return replies
}

/** 2100, so that nothing expires while a test runs. */
const FAR_MS = 4_102_444_800_000

function commandsFor(at: number): BinaryCommand[] {
  const key =
    at % 7 === 0 ? Buffer.from([0xff, 0x00, 0x0d, 0x0a, ...Buffer.from(String(at))]) : Buffer.from(`key:${at}`)
  const value = at % 5 === 0 ? Buffer.from([0x80, 0x00, at % 256, 0x0d, 0x0a]) : Buffer.from(`value ${at}`)
  const many = at % 997 === 0 ? 600 : 3
  const expiry: BinaryCommand[] = at % 3 === 0 || at % 10 === 1 ? [['PEXPIREAT', key, FAR_MS + at]] : []
  return [...writesOf(key, value, { at, many }), ...expiry]
}

function writesOf(
  key: Buffer,
  value: Buffer,
  { at, many }: { readonly at: number; readonly many: number },
): BinaryCommand[] {
  const each = Array.from({ length: many }, (_, one) => one)
  switch (at % 8) {
    case 0:
      return [['SET', key, value]]
    case 1:
      return [['RPUSH', key, ...each.map((one) => `${at} ${one}`), value]]
    case 2:
      return [['SADD', key, ...each.map((one) => `${at} ${one}`), value]]
    case 3:
      return [['ZADD', key, ...each.flatMap((one) => [one / 3, `${at} ${one}`]), -1, value]]
    case 4:
      return [['HSET', key, ...each.flatMap((one) => [`field ${one}`, `${at}`]), value, value]]
    case 5:
      return [
        ['XADD', key, `${at + 1}-1`, 'field', value],
        ['XADD', key, `${at + 1}-2`, 'field', value, 'other', '1'],
        ['XGROUP', 'CREATE', key, 'group', 0],
        ['XREADGROUP', 'GROUP', 'group', 'consumer', 'COUNT', 1, 'STREAMS', key, '>'],
      ]
    case 6:
      return [['SADD', key, ...each.map((one) => at + one)]]
    default:
      return [['SET', key, at % 1_001 === 0 ? Buffer.alloc(200_000, value) : at]]
  }
}
