import { Composer, type Context } from 'grammy'
import type { KeyFamilies, StatusLine, StoreStatus, Verdict } from '../redis/status/status.ts'
import { adminsOnly, type IsAdmin } from './admin.ts'
import { counted, cut, inLine } from './text.ts'

export interface RedisDeps {
  readonly isAdmin: IsAdmin
  /** How each Redis is; resolves within a few seconds, whatever a Redis does. */
  readonly redisStatus: () => Promise<readonly StoreStatus[]>
}

/** `/redis`, for admins: how each configured Redis is, the worst first. What it costs, `createRedisStatus` says. */
export function redisCommand({ isAdmin, redisStatus }: RedisDeps): Composer<Context> {
  const composer = new Composer()
  composer.command('redis', adminsOnly(isAdmin), async (context) => {
    await context.reply(redisText(await redisStatus()))
  })
  return composer
}

const marks = { bad: '🔴', look: '🟡', unknown: '⚪', ok: '🟢' } as const satisfies Record<Verdict, string>
const order = ['bad', 'look', 'unknown', 'ok'] as const satisfies readonly Verdict[]

/**
 * The statuses as one message. First what is to be done, the worst Redis and its worst lines first; then what is well, which is
 * where the message is cut if it must be.
 */
export const redisText = (statuses: readonly StoreStatus[]): string => {
  const sorted = worstFirst(statuses)
  const wells = sorted.filter(({ ok }) => ok).map(wellText)
  return cut([...sorted.map(troubleText), ...wells].join('\n\n'))
}

const worstFirst = <Judged extends { readonly verdict: Verdict }>(all: readonly Judged[]): readonly Judged[] =>
  order.flatMap((wanted) => all.filter(({ verdict }) => verdict === wanted))

/** Lines of one Redis that are told in full; a BullMQ may have fifty queues. */
const MOST_LINES = 12

function troubleText({ name, verdict, error, lines }: StoreStatus): string {
  if (error !== null) return `${marks.bad} Redis of ${name} does not answer: ${cut(error.message, 300)}`
  const troubles = worstFirst(lines.filter((line) => line.verdict !== 'ok'))
  const rest = troubles.length - MOST_LINES
  return [
    `${marks[verdict]} Redis of ${name}${troubles.length === 0 ? ' is well' : ''}`,
    ...troubles.slice(0, MOST_LINES).map(lineText),
    ...(rest > 0 ? [`• and ${rest} more, see orderly redis status`] : []),
  ].join('\n')
}

const lineText = ({ name, value, verdict, cure }: StatusLine) =>
  `${marks[verdict]} ${factText({ name, value })}${cure === null ? '' : `. ${cut(cure, 300)}`}`

const factText = ({ name, value }: Pick<StatusLine, 'name' | 'value'>) => `${cut(name, 80)}: ${cut(value, 200)}`

function wellText({ name, lines, families }: StoreStatus): string {
  const wells = lines.filter(({ verdict }) => verdict === 'ok')
  return [
    `Redis of ${name}, what is well:`,
    ...wells.map((line) => `• ${factText(line)}`),
    ...(families === null ? [] : familyLines(families)),
  ].join('\n')
}

/** A chat is no place for a long table. */
const MOST_FAMILIES = 5

function familyLines({ largest }: KeyFamilies): readonly string[] {
  const lines = largest.slice(0, MOST_FAMILIES).map(({ name, keys, bytes }) => {
    const size = bytes === null ? '' : `, about ${sizeText(bytes)}`
    return `• ${inLine(name, 80)}: ${counted(keys, 'key')}${size}`
  })
  return lines.length === 0 ? [] : ['Largest families of keys:', ...lines]
}

function sizeText(bytes: number): string {
  const kib = bytes / 1_024
  return kib < 1_024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1_024).toFixed(1)} MiB`
}
