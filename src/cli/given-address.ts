import type { Io } from './io.ts'
import { WrongUseError } from './result.ts'

/**
 * The address that an option gives. One without a password gets REDISCLI_AUTH, as with redis-cli: what stands on a command line
 * is seen by others on the machine.
 *
 * @throws WrongUseError for what is no address of a Redis.
 */
export function givenAddress(option: '--url' | '--to', text: string, { env }: Pick<Io, 'env'>): string {
  if (!/^rediss?:\/\/./i.test(text) || !URL.canParse(text)) {
    throw new WrongUseError(`${option} must be a redis:// or rediss:// address.`)
  }
  const url = new URL(text)
  if (!/^\/?\d*$/.test(url.pathname)) {
    throw new WrongUseError(`After the host of ${option} there may only be the number of a database.`)
  }
  const password = env['REDISCLI_AUTH'] ?? ''
  if (password === '' || url.password !== '') return text
  url.password = encodeURIComponent(password)
  return url.href
}
