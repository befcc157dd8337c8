import type { AppError } from '../../errors.ts'
import type { SweepPart } from '../report.ts'
import { countDue, type Bounds } from './bounds.ts'
import type { FinishedTally } from './finished.ts'
import { holds, type Hold } from './holds.ts'
import { finishedStates, type FinishedState } from './keys.ts'
import type { QueueLook } from './look.ts'

/** What a run of the sweep found and did in one queue. */
export interface QueueTally {
  readonly queue: string
  readonly finished: Readonly<Record<FinishedState, FinishedTally>>
  found(look: QueueLook, bounds: Readonly<Record<FinishedState, Bounds>>): void
  trimmed(count: number): void
  fail(error: AppError): void
  /** Finished jobs by what became of them. */
  counts(): QueueCounts
  /** The queue's own part of the report, and one for its events where there are too many. */
  parts(): readonly SweepPart[]
}

export interface QueueCounts {
  readonly due: number
  readonly deleted: number
  readonly kept: number
  readonly keptOpen: number
  readonly unreadable: number
}

/** The tally of a queue that is about to be looked at. */
export function createQueueTally(queue: string, { isDryRun }: { readonly isDryRun: boolean }): QueueTally {
  const finished = { completed: emptyTally(), failed: emptyTally() }
  const reasons: string[] = []
  const failures: string[] = []
  let [kept, unreadable] = [0, 0]
  let events: QueueLook['events'] = { length: 0, most: 0 }
  let trimmed = 0
  const sum = (of: 'due' | 'deleted') => finished.completed[of] + finished.failed[of]
  const held = (hold: Hold) => finished.completed.held[hold] + finished.failed.held[hold]
  const counts = () => ({
    due: sum('due'),
    deleted: sum('deleted'),
    kept,
    keptOpen: held('running') + held('awaited'),
    unreadable: unreadable + held('unreadable'),
  })

  const ownPart = (): SweepPart => {
    const { due, deleted, ...stay } = counts()
    const all = stay.kept + stay.keptOpen + stay.unreadable
    const keeping = [...holdTexts.map(([hold, text]) => [held(hold), text] as const), [unreadable, TIMELESS] as const]
    const told = keeping.filter(([count]) => count > 0).map(([count, text]) => `${count} kept: ${text}`)
    const because = [...reasons, ...told, ...failures].join('; ') || null
    return { name: queue, scanned: due + all, due, deleted, kept: all, because }
  }
  const eventsPart = (): SweepPart => {
    const due = isDryRun ? events.length - events.most : trimmed
    const because = `The queue keeps about ${events.most}.`
    return {
      name: `events of ${queue}`,
      scanned: events.length,
      due,
      deleted: trimmed,
      kept: events.length - due,
      because,
    }
  }

  return {
    queue,
    finished,
    found: (look, bounds) => {
      events = look.events
      for (const state of finishedStates) {
        const { total, older, unreadable: without } = look.finished[state]
        const { keep } = bounds[state]
        const due = countDue({ total, older }, keep)
        finished[state].due = due
        kept += total - due
        unreadable += without
        if (due > 0) reasons.push(`${state}: ${reasonOf({ due, older, keep })}`)
      }
    },
    trimmed: (count) => void (trimmed += count),
    fail: (error) => void failures.push(error.message),
    counts,
    parts: () => [ownPart(), ...(events.length > events.most ? [eventsPart()] : [])],
  }
}

const emptyTally = (): FinishedTally => ({
  due: 0,
  deleted: 0,
  held: { running: 0, awaited: 0, unreadable: 0 },
})

const holdTexts = Object.entries(holds) as readonly (readonly [Hold, string])[]

const TIMELESS = 'their times are none'

interface Reason {
  readonly due: number
  readonly older: number
  readonly keep: number
}

function reasonOf({ due, older, keep }: Reason): string {
  const beyond = due - older
  return [
    ...(older > 0 ? [`${older} too old`] : []),
    ...(beyond > 0 ? [`${beyond} beyond the newest ${keep}`] : []),
  ].join(', ')
}
