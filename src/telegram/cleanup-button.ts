import { InlineKeyboard } from 'grammy'
import type { Clock } from '../clock.ts'
import { mayKeep, type Asked } from './cleanup-arguments.ts'

/** What the button that confirms a cleanup carries. */
export interface Confirmation {
  readonly sweep: Asked['sweep']
  readonly days: number
  /** The id of the only one who may press it. */
  readonly askedBy: number
  readonly untilMs: number
}

/** Milliseconds for which a button that deletes is valid. */
const BUTTON_MS = 5 * 60_000

const MARKS = { orders: 'c', inngest: 'ci' } as const satisfies Record<Asked['sweep'], string>

/** A button that deletes, for whoever asked. Its data is `<mark>:<days>:<user>:<until>`, at most 36 bytes. */
export function confirmButton({ sweep, days, askedBy, clock }: ConfirmOptions): InlineKeyboard {
  const until = Math.floor((clock() + BUTTON_MS) / 1_000)
  return new InlineKeyboard().text('🗑 Delete them', `${MARKS[sweep]}:${days}:${askedBy}:${until}`)
}

export interface ConfirmOptions extends Omit<Confirmation, 'untilMs'> {
  readonly clock: Clock
}

/** Reads a pressed button's data; undefined when it is none of these, for anybody can send anything. */
export function decodeConfirmation(text: string): Confirmation | undefined {
  const match = /^(ci?):(\d{1,3}):(\d{1,16}):(\d{1,12})$/.exec(text)
  if (match === null) return undefined
  const [, mark, days, askedBy, untilSeconds] = match
  const sweep = mark === MARKS.inngest ? 'inngest' : 'orders'
  if (!mayKeep(sweep, Number(days))) return undefined
  return { sweep, days: Number(days), askedBy: Number(askedBy), untilMs: Number(untilSeconds) * 1_000 }
}
