import type { Order } from '../../src/orders/fold.ts'

/** What a stored text says of an order, as far as two implementations must agree on it. */
export interface Told {
  readonly status: unknown
  readonly lastMove: string | null
  readonly undoable: string | null
  readonly lastEdit: string | null
  readonly facts: Readonly<Record<string, unknown>>
  readonly cards: readonly (readonly [unknown, unknown])[]
  /** Each entry once, in stored order: id, kind, whether it was applied, and the status it led to. */
  readonly history: readonly string[]
}

/** The status table of DESIGN.md, typed in once more. */
const TABLE: Readonly<Record<string, string>> = {
  new: 'asked confirmed assigned picked-up delivered cancelled removed',
  asked: 'confirmed assigned picked-up delivered cancelled removed',
  confirmed: 'asked assigned picked-up delivered cancelled removed',
  assigned: 'asked confirmed assigned picked-up delivered cancelled removed',
  'picked-up': 'assigned delivered cancelled',
  delivered: '',
  cancelled: '',
  removed: '',
}

/** Whether a stored text is an order, and not a leftover or nothing. */
export const isOrderText = (text: string | undefined): text is string => text !== undefined && !text.startsWith('\x1e')

/** Reads a text as DESIGN.md's section 5 tells it, with nothing of `src/orders` in it; undefined when it is no order. */
export function naiveFold(text: string | undefined): Told | undefined {
  if (!isOrderText(text)) return undefined
  const [received, ...entries] = text.split('\x1e').map((part) => JSON.parse(part))
  const history: string[] = []
  const seen: string[] = []
  const done: { id: string; from: string }[] = []
  const cards = new Map<unknown, unknown>()
  let { status } = received
  const { _life, ...rest } = received
  let facts: Record<string, unknown> = rest
  let lastMove: string | null = null
  let lastEdit: string | null = null
  for (const { id, ...entry } of entries) {
    if (seen.includes(id)) continue
    seen.push(id)
    if (entry.move !== undefined) {
      const applies = entry.after === lastMove && TABLE[status]?.split(' ').includes(entry.move)
      history.push(applies ? `${id} moved to ${entry.move}` : `${id} void move`)
      if (!applies) continue
      done.push({ id, from: status })
      status = entry.move
      lastMove = id
    } else if (entry.undo !== undefined) {
      const applies = entry.after === lastMove && status !== 'removed' && done.at(-1)?.id === entry.undo
      if (applies) {
        status = done.pop()?.from
        lastMove = id
      }
      history.push(applies ? `${id} undid to ${status}` : `${id} void undo`)
    } else if (entry.edit !== undefined) {
      const applies = entry.after === lastEdit
      history.push(applies ? `${id} edit` : `${id} void edit`)
      if (!applies) continue
      facts = { ...facts, ...entry.edit }
      lastEdit = id
    } else if (entry.card !== undefined) {
      const applies = !cards.has(entry.card.chat)
      history.push(applies ? `${id} card` : `${id} void card`)
      if (applies) cards.set(entry.card.chat, entry.card.message)
    } else {
      history.push(`${id} note`)
    }
  }
  return { status, lastMove, undoable: done.at(-1)?.id ?? null, lastEdit, facts, cards: [...cards], history }
}

/** What an order of `src` says, in the same words. */
export function toldBy(order: Order | undefined): Told | undefined {
  if (order === undefined) return undefined
  const { status, lastMove, undoable, lastEdit, facts, cards } = order
  const history = order.history.map(({ id, kind, applied, to }) => {
    if (!applied) return `${id} void ${kind}`
    if (kind === 'move') return `${id} moved to ${to}`
    return kind === 'undo' ? `${id} undid to ${to}` : `${id} ${kind}`
  })
  return { status, lastMove, undoable, lastEdit, facts, cards: [...cards], history }
}

/** Whether a text has applied the move or undo with this id, exactly once. */
export const hasApplied = (told: Told | undefined, entryId: string): boolean =>
  told?.history.filter((line) => line.startsWith(`${entryId} `) && !line.includes(' void ')).length === 1
