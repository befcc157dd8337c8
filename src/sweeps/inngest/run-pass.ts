import { setTimeout as sleep } from 'node:timers/promises'
import { chunks } from './chunks.ts'
import { judgePage, judgeRuns, type JudgedRun } from './judge.ts'
import type { RowCounts } from './runs.ts'
import type { RunKind } from './tally.ts'
import { goOn, type Work } from './work.ts'

/** Milliseconds after which a pause looks whether to go on. */
const LOOK_EVERY_MS = 250

/**
 * Judges every run that started before the cutoff. Those that are surely due go page by page; abandoned ones at the end, when
 * Redis has answered for all of them.
 */
export async function sweepRuns(work: Work): Promise<void> {
  const { runs, liveness, tally, pacer, job } = work
  const nameless = new Map<string, number>()
  const onUnreadable = (count: number, table: string) => void nameless.set(table, (nameless.get(table) ?? 0) + count)
  const abandoned: string[] = []
  try {
    for await (const page of judgeRuns(runs, { bounds: job, liveness, limit: pacer.most, onUnreadable })) {
      for (const run of page) tally.addRun(run)
      const due = page.filter(({ isDue }) => isDue)
      await deleteSurely(work, due)
      for (const { id, reason } of due) if (reason === 'abandoned') abandoned.push(id)
      await goOn(work)
    }
  } finally {
    for (const [table, count] of nameless) {
      job.findings.remarks.push(`${count} ids in ${table} are no run's; their rows were left alone.`)
    }
  }
  await sweepAbandoned(work, abandoned)
}

async function deleteSurely(work: Work, due: readonly JudgedRun[]): Promise<void> {
  const sure = due.filter(({ reason }) => reason !== 'abandoned')
  for (const kind of ['completed', 'incomplete'] as const) {
    const ids = sure.filter(({ isFinished }) => isFinished === (kind === 'completed')).map(({ id }) => id)
    await inBatches(work, ids, async (batch) => {
      note(work, { kind, count: batch.length, rows: await work.runs.delete(batch) })
    })
  }
}

/**
 * Asks once more, after a pause, for some may be ending just now: Inngest removes a run's state first and writes a moment
 * later that it has finished. Then makes sure that it was the same Redis all the time.
 */
async function sweepAbandoned(work: Work, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const { liveness, pacer, tally, job } = work
  if (!job.dryRun) await settle(work)
  const certain: string[] = []
  for (const batch of chunks(ids, pacer.most)) {
    const page = await judgePage(work.freshRuns, batch, { bounds: job, liveness })
    for (const { id, reason } of page) if (reason === 'abandoned') certain.push(id)
    await goOn(work)
  }
  await liveness.confirm()
  const sure = liveness.awareness() === 'aware' ? certain : []
  tally.takeBack('incomplete', ids.length - sure.length)
  await inBatches(work, sure, async (batch) => {
    const { ids: gone, rows } = await work.runs.deleteUnfinished(batch)
    tally.takeBack('incomplete', batch.length - gone.length)
    note(work, { kind: 'incomplete', count: gone.length, rows })
  })
}

async function settle({ job, settleMs }: Work): Promise<void> {
  for (let waitedMs = 0; waitedMs < settleMs; waitedMs += LOOK_EVERY_MS) {
    await sleep(Math.min(LOOK_EVERY_MS, settleMs - waitedMs))
    await job.goOn()
  }
}

/** Deletes runs in transactions of a bounded time; in a dry run counts their rows and remembers them. */
async function inBatches(work: Work, ids: readonly string[], remove: (batch: readonly string[]) => Promise<void>) {
  const { job, runs, dueRuns, tally, pacer, clock } = work
  for (let at = 0; at < ids.length;) {
    const batch = ids.slice(at, at + pacer.size())
    at += batch.length
    const startedAtMs = clock()
    if (job.dryRun) {
      tally.addRows(await runs.count(batch), true)
      await dueRuns.add(batch)
    } else {
      await job.during(remove(batch))
    }
    pacer.took(clock() - startedAtMs)
    await goOn(work)
  }
}

interface Gone {
  readonly kind: RunKind
  readonly count: number
  readonly rows: RowCounts
}

function note({ tally }: Work, { kind, count, rows }: Gone): void {
  tally.addRows(rows, false)
  tally.addDeleted(kind, count)
}
