import { InlineKeyboard } from 'grammy'
import type { Clock } from '../clock.ts'
import { sweepNames, type SweepName } from '../sweeps/registry.ts'
import { mayKeep } from './cleanup-arguments.ts'

/** What the button that confirms a cleanup carries. */
export type Confirmation = Cleaning & {
  /** The id of the only one who may press it. */
  readonly askedBy: number
  readonly untilMs: number
}

type Cleaning =
  | { readonly sweep: Exclude<SweepName, Varying>; readonly days: number }
  /** Without days each part's own retention counts. */
  | { readonly sweep: Varying; readonly days: number | undefined }

type Varying = (typeof varying)[number]

/** Milliseconds for which a button that deletes is valid. */
const BUTTON_MS = 5 * 60_000

const MARKS = {
  orders: 'c',
  inngest: 'ci',
  alerts: 'ca',
  errors: 'ce',
  bullmq: 'cb',
  executions: 'cx',
} as const satisfies Record<SweepName, string>

/** The sweeps whose parts, such as organizations or queues, may have retentions of their own. */
const varying = ['alerts', 'bullmq'] as const

/** Stands for no days. */
const OWN = '-'

/** A button that deletes, for whoever asked. Its data is `<mark>:<days>:<user>:<until>`, at most 36 bytes. */
export function confirmButton({ sweep, days, askedBy, clock }: ConfirmOptions): InlineKeyboard {
  const until = Math.floor((clock() + BUTTON_MS) / 1_000)
  return new InlineKeyboard().text('🗑 Delete them', `${MARKS[sweep]}:${days ?? OWN}:${askedBy}:${until}`)
}

export interface ConfirmOptions {
  readonly sweep: SweepName
  /** Undefined for the retention that each part has of its own, with a sweep whose parts may. */
  readonly days: number | undefined
  readonly askedBy: number
  readonly clock: Clock
}

/** Reads a pressed button's data; undefined when it is none of these, for anybody can send anything. */
export function decodeConfirmation(text: string): Confirmation | undefined {
  const match = /^(c[a-z]?):(\d{1,3}|-):(\d{1,16}):(\d{1,12})$/.exec(text)
  if (match === null) return undefined
  const [, mark = '', shown = '', askedBy, untilSeconds] = match
  const cleaning = decodeCleaning(mark, shown)
  return cleaning && { ...cleaning, askedBy: Number(askedBy), untilMs: Number(untilSeconds) * 1_000 }
}

function decodeCleaning(mark: string, shown: string): Cleaning | undefined {
  const sweep = sweepNames.find((name) => MARKS[name] === mark)
  if (shown === OWN) {
    const own = varying.find((name) => name === sweep)
    return own && { sweep: own, days: undefined }
  }
  const days = Number(shown)
  return sweep !== undefined && mayKeep(sweep, days) ? { sweep, days } : undefined
}
