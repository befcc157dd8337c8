import { anEvent, aRun, aRunlessTrace, aSnapshot, aWorkerConnection, together } from './inngest-history.ts'

/** When it is judged. */
export const now = '2026-11-15T12:00:00Z'

/** Days before then, in epoch milliseconds. */
export const ago = (days: number) => Date.parse(now) - days * 86_400_000

const [first, second, loose, young] = [anEvent(ago(71)), anEvent(ago(70.9)), anEvent(ago(65)), anEvent(ago(5))]

/** A run that lives, although it began long ago. */
export const lively = aRun({
  startedAt: ago(80),
  alive: ['metadata', 'pr'],
  state: ['stack', 'actions'],
  event: second.id,
})

/** Something of each kind: three that finished, two that live, three abandoned, and what hangs on no run. */
export const variety = together([
  first,
  second,
  loose,
  young,
  aRun({ startedAt: ago(70), finishedAt: ago(69), batch: [first.id, second.id] }),
  aRun({ startedAt: ago(50), finishedAt: ago(49), finishStatus: 'Failed', state: ['stack', 'inputs'] }),
  aRun({ startedAt: ago(40), finishedAt: ago(40), finishStatus: 'Cancelled' }),
  aRun({ startedAt: ago(50), finishedAt: ago(10) }),
  aRun({ startedAt: ago(5), finishedAt: ago(4), event: young.id }),
  lively,
  aRun({ startedAt: ago(75), alive: ['idx'] }),
  aRun({ startedAt: ago(90) }),
  aRun({ startedAt: ago(90), state: ['actions', 'pending'] }),
  aRun({ startedAt: ago(65), tables: ['spans', 'traces', 'history'] }),
  aRun({ startedAt: ago(45) }),
  aRun({ startedAt: ago(50), tables: [], alive: ['metadata'], state: ['stack'] }),
  aRunlessTrace(ago(40)),
  aRunlessTrace(ago(35)),
  aRunlessTrace(ago(3)),
  aWorkerConnection({ connectedAt: ago(60), disconnectedAt: ago(59) }),
  aWorkerConnection({ connectedAt: ago(60), heartbeatAt: ago(1) }),
  aSnapshot(ago(50)),
  aSnapshot(ago(49)),
])
