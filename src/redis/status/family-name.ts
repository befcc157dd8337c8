import { harmless } from './words.ts'

/**
 * What a key is counted under: the part before its first colon, of a queue's key the prefix and the queue. Whatever may be
 * somebody's data does not show: numbers and ids become `#`, and what is more than a word is no name. So the families
 * of `user:17` and of `user17:cart` are `user` and `user#`, and there are as few as a person wants to read.
 */
export function familyOf(key: string, queuePrefixes: readonly string[]): string {
  const prefix = queuePrefixes.find((one) => key.startsWith(`${one}:`))
  if (prefix !== undefined) {
    const [queue = ''] = key.slice(prefix.length + 1).split(':', 1)
    return `${harmless(prefix)}:${nameOf(queue)}`
  }
  const end = key.indexOf(':')
  return end === -1 ? '(no colon)' : nameOf(key.slice(0, end))
}

/** ULIDs, UUIDs, digests and numbers. */
const ID = /[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|\d+/gi

/** Words as programs name things; an address or a sentence is none, and neither is what could steer a terminal. */
const NAME = /^[\p{L}\p{N}#_.{}/-]{1,40}$/u

function nameOf(part: string): string {
  const name = part.replaceAll(ID, '#')
  return NAME.test(name) ? name : '(other names)'
}
