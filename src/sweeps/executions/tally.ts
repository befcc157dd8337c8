import { countUnreadable, type Findings, type SweepPart } from '../report.ts'
import type { Verdict } from './judge.ts'
import type { Removal } from './removal.ts'

/** What a run of this sweep counted. */
export interface Tally {
  /** @param isWhole whether the execution has its own key. */
  add(verdict: Exclude<Verdict, 'unreadable'>, isWhole: boolean): void
  /** What nobody can judge, by the name of a key. */
  addUnreadable(key: string): void
  /** What became of one that was due; one that somebody else had removed counts nowhere. */
  addRemoval(removal: Removal, isWhole: boolean): void
  /** Puts what is known so far into the findings. */
  publish(isDryRun: boolean): void
}

interface Counts extends Record<Exclude<Verdict, 'unreadable'>, number> {
  deleted: number
}

const NONE: Counts = { due: 0, waiting: 0, changed: 0, 'first-seen': 0, expiring: 0, deleted: 0 }

/** Counts into findings. */
export function createTally(findings: Findings): Tally {
  const whole: Counts = { ...NONE }
  const partial: Counts = { ...NONE }
  const of = (isWhole: boolean) => (isWhole ? whole : partial)
  const sum = (count: (counts: Counts) => number) => count(whole) + count(partial)

  return {
    add: (verdict, isWhole) => void (of(isWhole)[verdict] += 1),
    addUnreadable: (key) => countUnreadable(findings, key),
    addRemoval: (removal, isWhole) => {
      const counts = of(isWhole)
      if (removal === 'removed') counts.deleted += 1
      else counts.due -= 1
      if (removal === 'changed') counts.changed += 1
    },
    publish: (isDryRun) => {
      findings.due = sum(({ due }) => due)
      findings.deleted = sum(({ deleted }) => deleted)
      findings.keptOpen = sum(({ changed }) => changed)
      findings.kept = sum((counts) => counts.waiting + counts['first-seen'] + counts.expiring)
      findings.parts = [
        lastingPart('executions without expiry', whole),
        lastingPart('partial executions without expiry', partial),
        expiringPart(sum(({ expiring }) => expiring)),
      ]
      const count = (counts: Counts) => (isDryRun ? counts.due : counts.deleted)
      const executions = `${count(whole)} ${count(whole) === 1 ? 'execution' : 'executions'} that stopped changing`
      const partials = `${count(partial)} partial ${count(partial) === 1 ? 'one' : 'ones'}`
      findings.summary = `${isDryRun ? 'Would delete' : 'Deleted'} ${executions} and ${partials}.`
    },
  }
}

function lastingPart(name: string, counts: Counts): SweepPart {
  const { due, deleted, waiting, changed } = counts
  const kept = waiting + changed + counts['first-seen']
  const reasons = [
    [counts['first-seen'], 'first seen'],
    [changed, 'changed since they were seen'],
    [waiting, 'not unchanged for long enough'],
  ] as const
  const told = reasons.filter(([count]) => count > 0).map(([count, reason]) => `${count} kept: ${reason}`)
  return { name, scanned: due + kept, due, deleted, kept, because: told.join('; ') || null }
}

const expiringPart = (count: number): SweepPart => ({
  name: 'executions with expiry',
  scanned: count,
  due: 0,
  deleted: 0,
  kept: count,
  because: count > 0 ? 'their expiry ends them' : null,
})
