import type { Clock } from '../../clock.ts'
import { createDeferred } from './deferred.ts'
import { badRequest } from './failures.ts'
import { PRESS_LIFE_MS } from './update-queue.ts'

/** What a person sees after a press: a short note, or an alert that has to be closed; neither is a silent answer. */
export interface PressAnswer {
  readonly toast?: string
  /** Whether the text was shown as an alert. */
  readonly alert?: boolean
  readonly url?: string
}

/** Button presses that wait for their answer. */
export interface Queries {
  /** Opens a query. */
  open(): { readonly id: string; readonly answered: Promise<PressAnswer> }
  /**
   * Answers a query, once and within 150 s.
   *
   * @throws CallFailure when it is too late, or no such query is open.
   */
  answer(id: string, answer: PressAnswer): void
}

/** Real query ids are large, too. */
const FIRST_ID = 5_302_000_000_000_001

export function createQueries({ clock }: { readonly clock: Clock }): Queries {
  const open = new Map<string, { readonly openedAtMs: number; readonly resolve: (answer: PressAnswer) => void }>()
  let nextId = FIRST_ID

  return {
    open: () => {
      for (const [id, { openedAtMs }] of open) if (clock() - openedAtMs >= PRESS_LIFE_MS) open.delete(id)
      const id = String(nextId++)
      const { promise, resolve } = createDeferred<PressAnswer>()
      open.set(id, { openedAtMs: clock(), resolve })
      return { id, answered: promise }
    },
    answer: (id, answer) => {
      const query = open.get(id)
      open.delete(id)
      if (query === undefined || clock() - query.openedAtMs >= PRESS_LIFE_MS) {
        throw badRequest('query is too old and response timeout expired or query ID is invalid')
      }
      query.resolve(answer)
    },
  }
}
