import { isRedisError } from '../errors.ts'
import { ask, textOf, type Transport } from './transport.ts'

/** What a server tells of itself, by name. */
export type Info = ReadonlyMap<string, string>

/**
 * INFO as name and value; empty where the user may not ask for it. Free of charge.
 *
 * @throws RedisError when there was no answer.
 */
export async function readInfo(send: Transport): Promise<Info> {
  try {
    const lines = textOf(await ask(send, ['INFO'])).split(/\r?\n/)
    return new Map(lines.filter((line) => line.includes(':')).map((line) => splitAt(line, line.indexOf(':'))))
  } catch (error) {
    if (isRedisError(error, 'REDIS_REFUSED')) return new Map()
    throw error
  }
}

/** A whole number that a server tells; null where it tells none. */
export function figureOf(info: Info, name: string): number | null {
  const text = info.get(name)
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}

/** The server's version, whatever its make; null where it tells none. */
export const versionOf = (info: Info): string | null => info.get('redis_version') ?? info.get('valkey_version') ?? null

/** Whether a server is a node of a cluster, as far as it tells. */
export const isClusterNode = (info: Info): boolean =>
  info.get('cluster_enabled') === '1' || info.get('redis_mode') === 'cluster'

const splitAt = (line: string, at: number): readonly [string, string] => [line.slice(0, at), line.slice(at + 1).trim()]
