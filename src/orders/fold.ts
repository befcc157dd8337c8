import { isStoredObject, LIFE_FIELD, type By, type StoredObject, type StoredText } from './entries.ts'
import type { OrderId } from './order.ts'
import { isOrderStatus, mayBecome } from './status.ts'

/** What became of one entry. */
export interface HistoryItem {
  readonly id: string
  readonly at: string | null
  readonly by: By | null
  readonly kind: 'move' | 'undo' | 'edit' | 'card' | 'note' | 'unknown'
  /** False for an entry that was void: decided on an older state, or against the status table. */
  readonly applied: boolean
  /** The status before and after an applied move or undo; for a void move only what it asked for. */
  readonly from: string | null
  readonly to: string | null
}

/** An order as its stored text says it is now. */
export interface Order {
  readonly id: OrderId
  /** The order as received with its edits applied. Fields that Orderly does not know are kept. */
  readonly facts: StoredObject
  /** Null when the order has none; may be a text that Orderly does not know. */
  readonly status: string | null
  /** The last applied move or undo: what a button must carry as `after`. */
  readonly lastMove: string | null
  /** When that was, as stored. */
  readonly lastMoveAt: string | null
  /** The latest applied move that is not taken back: what an undo may name. */
  readonly undoable: string | null
  readonly lastEdit: string | null
  /** The first card of each chat: chat id to message id. */
  readonly cards: ReadonlyMap<number, number>
  readonly history: readonly HistoryItem[]
}

/** Fields that no edit may change: the id is made of the times, and a status changes by moves only. */
const FIXED_FIELDS = new Set(['created_at', 'createdAt', 'wanted_at', 'status'])

/**
 * Replays an order's entries in stored order. Every instance that reads the same text comes to the same result: an id
 * already seen is skipped, and a move or undo that was not decided on the latest applied one is void.
 */
export function foldOrder(id: OrderId, { received, entries }: Extract<StoredText, { kind: 'order' }>): Order {
  const state = startOf(received)
  const seen = new Set<string>()
  for (const entry of entries) {
    const entryId = entry['id']
    if (typeof entryId !== 'string' || entryId === '' || entryId.length > 10 || seen.has(entryId)) continue
    seen.add(entryId)
    state.history.push({
      id: entryId,
      at: typeof entry['at'] === 'string' ? entry['at'] : null,
      by: typeof entry['by'] === 'string' || typeof entry['by'] === 'number' ? entry['by'] : null,
      ...apply(state, entryId, entry),
    })
  }
  const { moves, ...rest } = state
  return { id, ...rest, undoable: moves.at(-1)?.id ?? null }
}

interface State {
  facts: StoredObject
  status: string | null
  lastMove: string | null
  lastMoveAt: string | null
  lastEdit: string | null
  /** Applied moves not taken back, with the status that each replaced. */
  readonly moves: { readonly id: string; readonly from: string | null }[]
  readonly cards: Map<number, number>
  readonly history: HistoryItem[]
}

const startOf = (received: StoredObject): State => ({
  facts: Object.hasOwn(received, LIFE_FIELD) ? withoutLife(received) : received,
  status: typeof received['status'] === 'string' ? received['status'] : null,
  lastMove: null,
  lastMoveAt: null,
  lastEdit: null,
  moves: [],
  cards: new Map(),
  history: [],
})

const withoutLife = (received: StoredObject): StoredObject =>
  Object.fromEntries(Object.entries(received).filter(([name]) => name !== LIFE_FIELD))

type Outcome = Pick<HistoryItem, 'kind' | 'applied' | 'from' | 'to'>

function apply(state: State, id: string, entry: StoredObject): Outcome {
  if (Object.hasOwn(entry, 'move')) return applyMove(state, id, entry)
  if (Object.hasOwn(entry, 'undo')) return applyUndo(state, id, entry)
  if (Object.hasOwn(entry, 'edit')) return applyEdit(state, id, entry)
  if (Object.hasOwn(entry, 'card')) return applyCard(state, entry)
  return { kind: Object.hasOwn(entry, 'note') ? 'note' : 'unknown', applied: true, from: null, to: null }
}

function applyMove(state: State, id: string, entry: StoredObject): Outcome {
  const to = entry['move']
  const from = state.status
  if (!isOrderStatus(to) || entry['after'] !== state.lastMove || !mayBecome(from, to)) {
    return { kind: 'move', applied: false, from: null, to: typeof to === 'string' ? to : null }
  }
  state.moves.push({ id, from })
  return changeStatus(state, id, { entry, kind: 'move', to })
}

function applyUndo(state: State, id: string, entry: StoredObject): Outcome {
  const latest = state.moves.at(-1)
  const isRemoved = state.status === 'removed'
  if (latest === undefined || isRemoved || entry['after'] !== state.lastMove || entry['undo'] !== latest.id) {
    return { kind: 'undo', applied: false, from: null, to: null }
  }
  state.moves.pop()
  return changeStatus(state, id, { entry, kind: 'undo', to: latest.from })
}

interface StatusChange {
  readonly entry: StoredObject
  readonly kind: 'move' | 'undo'
  readonly to: string | null
}

function changeStatus(state: State, id: string, { entry, kind, to }: StatusChange): Outcome {
  const from = state.status
  state.status = to
  state.lastMove = id
  state.lastMoveAt = typeof entry['at'] === 'string' ? entry['at'] : null
  return { kind, applied: true, from, to }
}

function applyEdit(state: State, id: string, entry: StoredObject): Outcome {
  const fields = entry['edit']
  if (!isStoredObject(fields) || entry['after'] !== state.lastEdit) {
    return { kind: 'edit', applied: false, from: null, to: null }
  }
  const changes = Object.fromEntries(Object.entries(fields).filter(([name]) => !FIXED_FIELDS.has(name)))
  state.facts = { ...state.facts, ...changes }
  state.lastEdit = id
  return { kind: 'edit', applied: true, from: null, to: null }
}

function applyCard(state: State, entry: StoredObject): Outcome {
  const card = entry['card']
  const chat = isStoredObject(card) ? card['chat'] : undefined
  const message = isStoredObject(card) ? card['message'] : undefined
  const applied = typeof chat === 'number' && typeof message === 'number' && !state.cards.has(chat)
  if (applied) state.cards.set(chat, message)
  return { kind: 'card', applied, from: null, to: null }
}
