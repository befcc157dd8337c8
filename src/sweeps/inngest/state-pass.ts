import type { OrphanCounts } from './orphan-counts.ts'
import { sweepOrphans } from './orphans.ts'
import type { Work } from './work.ts'

/** The state in Redis of runs that are finished or gone. Comes last, for then the database tells which those are. */
export async function sweepState(work: Work): Promise<void> {
  const { job, liveness, tally } = work
  let counts: Readonly<OrphanCounts> | undefined
  const onProgress = (sofar: Readonly<OrphanCounts>) => {
    counts = sofar
    job.onProgress()
  }
  const { asOfMs, dryRun: isDryRun, goOn: checkpoint } = job
  const database = { stateOf: (ids: readonly string[]) => stateOf(work, ids) }
  const options = { asOfMs, startedAtMs: work.clock(), isDryRun, database, onProgress, checkpoint }
  try {
    await liveness.attempt((send, prefix) => sweepOrphans({ ...options, send, prefix }))
  } finally {
    // Also of a pass that ended early, for what it deleted is gone.
    if (counts !== undefined) tally.addOrphans(counts)
    if (counts?.hasRemembered === false) job.findings.remarks.push(NO_ROOM)
  }
}

const NO_ROOM = 'Redis had no room to remember orphaned state until the next pass.'

/** What the database knows of runs, as if a dry run had deleted what it counted. */
async function stateOf({ freshRuns, dueRuns }: Work, ids: readonly string[]) {
  const gone = await dueRuns.among(ids)
  const there = ids.filter((id) => !gone.has(id))
  const known = await freshRuns.known(there)
  const finished = await freshRuns.finishTimes(there)
  return new Map([...known].map((id) => [id, finished.has(id) ? ('finished' as const) : ('unfinished' as const)]))
}
