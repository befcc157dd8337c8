import type { Value } from '../transport.ts'
import type { SlowCommand } from './status.ts'

/** Plain names of commands only: a command that somebody renamed is a secret. */
const NAME = /^[a-z][a-z.-]{1,23}$/i

/** The entries of SLOWLOG GET, `[id, epoch seconds, microseconds, [command, ...arguments], ...]`; others are left out. */
export function slowCommandsOf(reply: Value): readonly SlowCommand[] {
  if (!Array.isArray(reply)) return []
  return reply.flatMap((entry: Value) => {
    if (!Array.isArray(entry)) return []
    const [, seconds, micros, words] = entry
    if (typeof seconds !== 'number' || typeof micros !== 'number') return []
    const word: unknown = Array.isArray(words) ? words[0] : undefined
    const command = typeof word === 'string' && NAME.test(word) ? word.toUpperCase() : '(unknown)'
    return [{ atMs: seconds * 1_000, micros, command }]
  })
}
