import { readConfig } from '../config.ts'
import { ConfigError, InputError } from '../errors.ts'
import { givenAddress } from './given-address.ts'
import type { Io } from './io.ts'

/**
 * The address of the Redis that a command works on: the given one, or the configured one of orders. As with redis-cli, a
 * given address may leave the password to REDISCLI_AUTH.
 *
 * @throws InputError when no bytes can be had from it, WrongUseError for what is no address, ConfigError
 */
export function backupAddress(url: string | undefined, { env }: Pick<Io, 'env'>): string {
  if (url !== undefined) {
    if (isRest(url)) throw new InputError(REST)
    return givenAddress('--url', url, { env })
  }
  const { redis } = readConfig(env)
  if (redis.kind === 'upstash') throw new InputError(REST)
  if (redis.kind === 'memory') throw new ConfigError(['--url or REDIS_URL is required: it names the Redis to back up.'])
  return redis.url
}

/** The address of the Redis to restore into. @throws InputError, WrongUseError */
export function restoreAddress(url: string, { env }: Pick<Io, 'env'>): string {
  if (isRest(url)) throw new InputError(REST)
  const address = givenAddress('--to', url, { env })
  if (/^\/?0?$/.test(new URL(address).pathname)) return address
  throw new InputError(
    'Give the address without a database number: every key goes back to the database that it comes from.',
  )
}

const isRest = (text: string) => /^https?:/i.test(text)

const REST =
  'Over REST no binary values can be had. Give the rediss:// address of the same database; the console of Upstash shows it.'
