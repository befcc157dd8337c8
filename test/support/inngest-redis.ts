import { fixtureKeys, type RedisKey } from './inngest-fixture.ts'
import { isErrorReply, openResp, type RespConnection, textReply } from './resp.ts'

type Command = readonly (string | number)[]

/** Puts the frozen server state into a Redis, in two commands a key at most. */
export async function fillRedis(url: string): Promise<void> {
  await storeKeys(url, fixtureKeys())
}

/** Writes keys in one pipeline. */
export async function storeKeys(url: string, keys: readonly RedisKey[]): Promise<void> {
  await withResp(url, async (connection) => {
    for (const reply of await connection.call(keys.flatMap(writing))) {
      if (isErrorReply(reply)) throw new Error(reply.error)
    }
  })
}

/** What a Redis holds: the names in order, Orderly's own apart. */
export interface RedisContent {
  readonly keys: readonly string[]
  /** Those under `orderly:`. */
  readonly own: readonly string[]
  /** The remaining milliseconds of each idempotency key, -1 for no expiry. */
  readonly idempotency: Readonly<Record<string, number>>
}

/** Reads every name and the remaining time of the idempotency keys. */
export async function redisContent(url: string): Promise<RedisContent> {
  return await withResp(url, async (connection) => {
    const names = (await scanAll(connection)).toSorted()
    const own = names.filter((name) => name.startsWith('orderly:'))
    const idempotencyKeys = names.filter((name) => /^\{[^}]*\}:key:/.test(name))
    const replies = await connection.call(idempotencyKeys.map((name) => ['PTTL', name]))
    return {
      keys: names.filter((name) => !name.startsWith('orderly:')),
      own,
      idempotency: Object.fromEntries(idempotencyKeys.map((name, at) => [name, Number(replies[at])])),
    }
  })
}

async function scanAll(connection: RespConnection): Promise<string[]> {
  const names = new Set<string>()
  let cursor = '0'
  do {
    const [reply] = await connection.call([['SCAN', cursor, 'COUNT', 5_000]])
    const [next, page] = textReply(reply ?? null) as [string, string[]]
    for (const name of page) names.add(name)
    cursor = next
  } while (cursor !== '0')
  return [...names]
}

async function withResp<Result>(url: string, use: (connection: RespConnection) => Promise<Result>): Promise<Result> {
  const connection = await openResp(url)
  try {
    return await use(connection)
  } finally {
    connection.close()
  }
}

function writing(entry: RedisKey): Command[] {
  const commands: Command[] = [setting(entry)]
  if (entry.pttl >= 0) commands.push(['PEXPIRE', entry.key, entry.pttl])
  return commands
}

function setting({ key, type, value }: RedisKey): Command {
  switch (type) {
    case 'string':
      return ['SET', key, value]
    case 'hash':
      return ['HSET', key, ...Object.entries(value).flat()]
    case 'list':
      return ['RPUSH', key, ...value]
    case 'set':
      return ['SADD', key, ...value]
    case 'zset':
      return ['ZADD', key, ...value.flatMap(([member, score]) => [score, member])]
    default:
      return type satisfies never
  }
}
