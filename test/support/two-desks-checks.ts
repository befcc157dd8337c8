import { Buffer } from 'node:buffer'
import { expect } from 'vitest'
import { isOrderText } from './naive-fold.ts'
import type { Sent } from './rough-road.ts'
import type { Action } from './two-desks-steps.ts'

/** What came of an action. */
export interface Result {
  readonly outcome: string
  /** The move or undo that was asked for. */
  readonly entry?: Readonly<Record<string, unknown>> & { readonly id: string }
}

/** Compares under a name, so that a failure tells what broke. */
export const same = (what: string, actual: unknown, expected: unknown) =>
  expect({ [what]: actual }).toEqual({ [what]: expected })

const atMost = (what: string, actual: number, most: number) =>
  same(`${what} (${actual}, at most ${most})`, actual <= most, true)

/** A run met a case that is a test of its own: see `isCoincidence`. */
export class Coincidence extends Error {}

/**
 * Whether an APPEND's reply was the expected length although the text before was another one than the sender knew: the order
 * went, came again, and others wrote just as many bytes.
 */
export function isCoincidence(known: ReadonlyMap<string, { readonly text: string }>, sent: readonly Sent[]): boolean {
  return sent.some(({ command: [name, , added], key, isAnswered, text = '' }) => {
    if (name !== 'APPEND' || !isAnswered) return false
    const before = known.get(key)?.text ?? ''
    const isExpected = Buffer.byteLength(before + String(added)) === Buffer.byteLength(text)
    return before !== '' && isExpected && before + String(added) !== text
  })
}

const changing = ['GET', 'APPEND', 'EVAL']
/** The commands that an action may send. */
export function allowedFor(action: Action): string[] {
  if (action.do === 'load') return ['SCAN', 'MGET']
  if (action.do === 'read') return ['GET']
  if (action.do === 'receive') return ['SET', 'GET', 'EVAL']
  return action.do === 'move' && action.to === 'removed' ? [...changing, 'UNLINK'] : changing
}

/** How things stood before an action, and what it has spent. */
export interface Before {
  readonly text: string | undefined
  readonly known: { readonly text: string } | undefined
  readonly isHeld: boolean
  readonly spent: number
}

/** The billed commands of an action that nothing interfered with. */
export function checkCost(action: Action, { outcome }: Result, { text, known, isHeld, spent }: Before): void {
  const isOrder = isOrderText(text)
  const isContended = isHeld && known?.text !== text
  const what = `what ${action.do} cost that ended as ${outcome}`
  if (action.do === 'read') return same(what, spent, isHeld ? 0 : 1)
  if (action.do === 'load') return atMost(what, spent, 2)
  if (action.do === 'receive') return same(what, spent, text === undefined ? 1 : isOrder ? 2 : 6)
  if (outcome === 'moved' || outcome === 'appended') {
    const removal = action.do === 'move' && action.to === 'removed' ? 1 : 0
    return same(what, spent, (isHeld && !isContended ? 1 : 2) + removal)
  }
  if (outcome !== 'gone') return atMost(what, spent, isContended ? 2 : 1)
  // APPEND, a GET where others have left something too, and EVAL with GETRANGE and UNLINK.
  return atMost(what, spent, isHeld ? (text === undefined ? 4 : 5) : 1)
}
