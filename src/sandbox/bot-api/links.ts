import { isIPv6 } from 'node:net'
import { badRequest } from './failures.ts'

/** Where a link leads: to a person, or to an address. */
export type Link = { readonly userId: number } | { readonly url: string }

/**
 * Reads a link as Telegram does: `tg://user?id=…` is a person, an address without `http` gets it, and one without a path
 * gets a slash. Undefined for what Telegram does not take for a link.
 */
export function decodeLink(address: string): Link | undefined {
  const reading = readLink(address)
  return typeof reading === 'string' ? undefined : reading
}

/**
 * As `decodeLink`, for a link that has to be one; `owner` is what it belongs to.
 *
 * @throws CallFailure with the text Telegram refuses it with.
 */
export function parseLink(address: string, owner: 'Entity' | 'Inline keyboard button'): Link {
  const reading = readLink(address)
  if (typeof reading === 'string') throw badRequest(`${owner} URL '${address}' is invalid: ${reading}`)
  return reading
}

/** The largest id that a person can have. */
const LARGEST_USER_ID = 2 ** 40 - 1

/** A link, or in Telegram's words why it is none. */
function readLink(address: string): Link | string {
  const userId = Number(idOfPerson(address) ?? 0)
  if (userId > 0 && userId <= LARGEST_USER_ID) return { userId }
  const [, scheme, rest = ''] = /^(tg|ton|tonsite):(?:\/\/)?(.*)$/is.exec(address) ?? []
  if (scheme !== undefined) return readOwnLink(lower(scheme), rest)
  const url = readUrl(address)
  if (typeof url === 'string') return url
  if (!url.host.includes('.') && !url.host.startsWith('[')) return 'Wrong HTTP URL'
  const login = url.login === '' ? '' : `${url.login}@`
  const port = url.port === '' ? '' : `:${url.port}`
  return { url: `${url.protocol}://${login}${url.host}${port}${url.path}` }
}

/** The first `id` of a link to a person; undefined where it is no number, whatever follows. */
function idOfPerson(address: string): string | undefined {
  const query = /^tg:(?:\/\/)?user\/?\?([^#]*)/i.exec(address)?.[1] ?? ''
  const id = query.split('&').find((parameter) => /^id(?:=|$)/i.test(parameter))
  return /^id=([1-9]\d{0,14})$/i.exec(id ?? '')?.[1]
}

/** A link that Telegram itself opens. */
function readOwnLink(scheme: string, rest: string): Link | string {
  const url = readUrl(rest)
  if (typeof url === 'string') return url
  const { protocol, login, host, port, path } = url
  const hasMore = /^http:\/\//i.test(rest) || protocol === 'https' || login !== '' || port !== ''
  if (hasMore || host.startsWith('[')) return scheme === 'tg' ? 'Wrong tg URL' : 'Wrong ton URL'
  const allowed = scheme === 'tonsite' ? /^[\w.-]+$/ : /^[\w-]+$/
  if (!allowed.test(host)) return 'Unallowed characters in URL host'
  return { url: `${scheme}://${host}${path.startsWith('/?') ? path.slice(1) : path}` }
}

interface Url {
  readonly protocol: string
  readonly login: string
  readonly host: string
  readonly port: string
  /** With the query and the fragment. */
  readonly path: string
}

const LARGEST_PORT = 65_535

/** The parts of an address, or why it is none. Those that Telegram's servers refuse besides are taken. */
function readUrl(address: string): Url | string {
  const [, scheme = 'http', rest = ''] = /^(?:([^:/?#@[\]]*):\/\/)?(.*)$/s.exec(address) ?? []
  const protocol = lower(scheme)
  if (protocol !== 'http' && protocol !== 'https') return 'Unsupported URL protocol'
  const [, authority = '', tail = ''] = /^([^/?#]*)(.*)$/s.exec(rest) ?? []
  const [, named = authority, digits] = /^(.+):([^:\]@]*)$/s.exec(authority) ?? []
  const port = digits?.replace(/^0+/, '') ?? ''
  const isPort = /^\d+$/.test(port) && Number(port) <= LARGEST_PORT
  if (digits !== undefined && !isPort) return 'Wrong port number specified in the URL'
  const at = named.lastIndexOf('@')
  const [login, host] = [named.slice(0, Math.max(at, 0)), lower(named.slice(at + 1))]
  return faultOf(host, login) ?? { protocol, login, host, port, path: pathOf(tail) }
}

function faultOf(host: string, login: string): string | undefined {
  if (/^\[.*\]$/s.test(host)) {
    const isAddress = /^[\d.:a-f]+$/.test(host.slice(1, -1)) && isIPv6(host.slice(1, -1))
    return isAddress ? undefined : 'Wrong IPv6 address specified in the URL'
  }
  if (host === '') return 'URL host is empty'
  if (host === '.') return 'Host is invalid'
  return strayIn(host, 'host') ?? strayIn(login.replaceAll(':', ''), 'userinfo')
}

function strayIn(part: string, name: string): string | undefined {
  const stray = /%(?![\da-f]{2})|[^\w.\-!$,~*'();&+=%\u0080-\uFFFF]/i.exec(part)?.[0]
  if (stray === undefined) return undefined
  return stray === '%' ? `Wrong percent-encoded symbol in URL ${name}` : `Disallowed character in URL ${name}`
}

/** Looks behind itself, so that many spaces elsewhere do not take long. */
const SPACE_AT_END = /(?<![\0\t\n\v\r ])[\0\t\n\v\r ]+$/

function pathOf(tail: string): string {
  const path = tail.replace(SPACE_AT_END, '')
  // eslint-disable-next-line no-control-regex
  const escaped = path.replaceAll(/[\u0000-\u0020]/g, (character) => encodeURIComponent(character))
  return escaped.startsWith('/') ? escaped : `/${escaped}`
}

/** Telegram knows the capitals of ASCII only. */
const lower = (text: string) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
