import type { QueuePlace } from '../sweeps/bullmq/keys.ts'
import type { Clearance } from '../sweeps/bullmq/queue-clear.ts'
import { columns, counted, printable } from './text.ts'

export interface QueueText {
  readonly queue: string
  readonly isDryRun: boolean
  /** False for a run that ended early, which may not have seen all. */
  readonly isThrough: boolean
}

/** What emptying a queue came to, for people: a table of its states, and who stays and why. */
export function queueText(clearance: Clearance, { queue, isDryRun, isThrough }: QueueText): string {
  const { states, orphans } = clearance
  const rows = states.map(({ state, jobs, due, cleared }) => [state, jobs, isDryRun ? due : cleared, jobs - due])
  const left = orphans.kept + orphans.unreadable
  const table = columns([
    ['', 'jobs', isDryRun ? 'would go' : 'gone', 'stay'],
    ...rows.filter(([, jobs]) => jobs !== 0).map((row) => row.map(String)),
    ...(orphans.scanned > 0
      ? [['orphaned', ...[orphans.scanned, isDryRun ? orphans.due : orphans.deleted, left].map(String)]]
      : []),
  ])
  const isEmpty = states.every(({ jobs }) => jobs === 0) && orphans.scanned === 0
  const heading = `Queue ${printable(queue)}:`
  const closing = isDryRun ? ['', 'Nothing was deleted. Add --apply to empty the queue.'] : []
  return [
    ...(isEmpty ? [`${heading} ${isThrough ? 'nothing to delete.' : 'nothing was counted.'}`] : [heading, '', table]),
    ...remarksOn(clearance),
    ...(isEmpty ? [] : closing),
  ].join('\n')
}

function remarksOn({ states, active, schedulers, orphans }: Clearance): readonly string[] {
  const sum = (count: 'scheduled' | 'worked') => states.reduce((all, state) => all + state[count], 0)
  const remarks = [
    ...(active > 0 ? [`${counted(active, 'active job')} left to finish.`] : []),
    ...(sum('worked') > 0 ? [`${counted(sum('worked'), 'job')} left: somebody holds the lock.`] : []),
    ...(schedulers > 0 ? [`${counted(schedulers, 'job scheduler')} left, with the next job of each. ${REMOVE}`] : []),
    ...(orphans.because === null ? [] : [`Orphaned hashes: ${orphans.because}.`]),
  ]
  return remarks.length === 0 ? [] : ['', ...remarks]
}

const REMOVE = 'To end one: queue.removeJobScheduler(id).'

/** Why jobs stay that a job waits for which does not go, and what to do; undefined where there are none. */
export function awaitedText({ states, waitingBases }: Clearance, { prefix, queue }: QueuePlace): string | undefined {
  const awaited = states.reduce((all, state) => all + state.awaited, 0)
  if (awaited === 0) return undefined
  const names = [...waitingBases].map((base) => nameIn(base, prefix))
  const queues = names.slice(0, 10).map((name) => printable(name, 60))
  const left = `${counted(awaited, 'job')} left, for unfinished parents wait for ${awaited === 1 ? 'it' : 'them'}, in: ${queues.join(', ')}.`
  const cure = names.every((name) => name === queue) ? 'Let the active ones finish, and' : OTHERS
  return `${left} ${names.includes(queue) ? `${OWN} ` : ''}${cure} run it again.`
}

const OTHERS = 'Empty those queues first, or let their jobs finish; then'

const OWN = 'Those in this queue itself are active, are to run again, or were added in flows meanwhile.'

const nameIn = (base: string, prefix: string) =>
  base.startsWith(`${prefix}:`) ? base.slice(prefix.length + 1, -1) : base.slice(0, -1)
