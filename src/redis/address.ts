import { unreachable } from './failures.ts'

/**
 * What a client needs to know of `redis://[user[:password]@]host[:port][/database]`, `rediss://` for TLS. Read here rather
 * than by the client, which takes any of its own options from the query.
 *
 * @throws RedisError `REDIS_UNREACHABLE` when it is no such address.
 */
export function addressOf(url: string) {
  if (!/^rediss?:/i.test(url) || !URL.canParse(url)) throw unreachable('its address is not a redis:// or rediss:// one')
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  if (!/^\/?\d*$/.test(pathname)) throw unreachable('the path of its address is not the number of a database')
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    username: plain(username),
    password: plain(password),
    db: Number(pathname.slice(1)),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

/** Decodes a percent-encoded part; one that is none, such as a password with a bare percent sign, stands for itself. */
function plain(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
