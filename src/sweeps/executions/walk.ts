import type { Clock } from '../../clock.ts'
import { executionKeys, executionPattern } from '../../executions/keys.ts'
import { scanPages } from '../../redis/scan.ts'
import { SweepStopped } from '../guard.ts'
import type { SweepJob } from '../sweep.ts'
import { judge, type Sighting } from './judge.ts'
import { lookCommand, readLooks, type Look } from './look.ts'
import { beginPass, type Pass } from './pass.ts'
import { removeExecutions, WORST_REMOVAL, type DueExecution } from './removal.ts'
import { WORST_LOOK } from './server-look.ts'
import { openSightings, readSightings, recallCommand, type Sightings } from './sightings.ts'
import { createSorter, FORGETFUL, type Candidate, type Sorter } from './sorter.ts'
import { createTally, type Tally } from './tally.ts'

export interface WalkOptions {
  readonly job: SweepJob
  readonly clock: Clock
  readonly prefix: string
  /** The greatest age of an unchanged execution in days of 24 hours, where a run does not ask for another. */
  readonly maxAgeDays: number
}

const DAY_MS = 86_400_000

/** Executions that are judged together: a script must not keep the server from others for long. */
const MOST_TOGETHER = 100

/** Commands of a batch besides the scripts' own, and those of the page that is scanned meanwhile. */
const SPARE_COMMANDS = 8

/**
 * Walks over all executions under a prefix and removes those that are due; a dry run writes nothing. Memory is bounded
 * whatever their number.
 *
 * @throws RedisError, and SweepStopped between two requests. What was done so far stays done and is remembered.
 */
export async function sweepExecutions(options: WalkOptions): Promise<void> {
  const { findings } = options.job
  try {
    await goThrough(await beginWalk(options))
  } catch (error) {
    if (error instanceof SweepStopped && error.reason === 'cap') findings.remarks.push(CAPPED)
    throw error
  }
}

async function goThrough(walk: Walk): Promise<void> {
  const { job, prefix } = walk
  const { findings, dryRun, send } = job
  try {
    for await (const page of scanPages(send, { match: executionPattern(prefix) })) await judgePage(walk, page)
    await walk.sightings?.forgetGone(walk.pass.observedMs)
  } finally {
    walk.tally.publish(dryRun)
  }
  if (walk.sorter.isForgetful()) findings.remarks.push(FORGETFUL)
}

const NO_ROOM =
  'There was no room to remember when all executions were seen first, so some have to wait until others have gone.'

const CAPPED =
  'A capped run of this sweep begins at the first execution again: give it a cap for all of them, of 30 billed commands for each and 100 more.'

async function beginWalk({ job, clock, prefix, maxAgeDays }: WalkOptions): Promise<Walk> {
  const { findings, dryRun, send, days = maxAgeDays } = job
  const nowMs = clock()
  const memoryDays = Math.max(maxAgeDays, days)
  const mostMs = (Math.min(maxAgeDays, days) * DAY_MS) / 2
  const pass = await beginPass({ send, dryRun, nowMs, mostMs, days: memoryDays })
  // A look ahead supposes that the schedule runs until then.
  const isAhead = dryRun && job.asOfMs > nowMs
  if (!pass.isRemembered) findings.remarks.push(NO_ROOM)
  return {
    job,
    prefix,
    pass,
    mayRemove: pass.mayRemove || isAhead,
    nowMs: () => Math.max(pass.observedMs, clock() - pass.leftOutMs),
    cutoffMs: cutoffOf(job, nowMs) - pass.leftOutMs,
    tally: createTally(findings),
    sightings: dryRun ? undefined : await openSightings({ send, days: memoryDays }),
    sorter: createSorter(prefix),
  }
}

/** A run that deletes judges by no later time than now: a slot lies ahead where the clock was set back. */
const cutoffOf = ({ cutoffMs, asOfMs, dryRun }: SweepJob, nowMs: number) =>
  dryRun ? cutoffMs : cutoffMs - Math.max(0, asOfMs - nowMs)

interface Walk extends Pick<WalkOptions, 'job' | 'prefix'> {
  readonly pass: Pass
  readonly mayRemove: boolean
  /** Like the cutoff in observed time. */
  readonly nowMs: () => number
  readonly cutoffMs: number
  readonly tally: Tally
  /** Undefined in a dry run. */
  readonly sightings: Sightings | undefined
  readonly sorter: Sorter
}

async function judgePage(walk: Walk, page: readonly string[]): Promise<void> {
  const { candidates, unreadable } = walk.sorter.take(page)
  unreadable.forEach(walk.tally.addUnreadable)
  while (candidates.length > 0) {
    await judgeBatch(walk, candidates.splice(0, batchSize(walk.job)))
    walk.tally.publish(walk.job.dryRun)
    walk.job.onProgress()
  }
}

/** As many as can be judged and removed before the cap is met. */
function batchSize({ left }: SweepJob): number {
  const size = Math.floor((left() - SPARE_COMMANDS) / (WORST_LOOK.length + WORST_REMOVAL.length))
  if (size < 1) throw new SweepStopped('cap')
  return Math.min(size, MOST_TOGETHER)
}

async function judgeBatch(walk: Walk, batch: readonly Candidate[]): Promise<void> {
  const { job, prefix } = walk
  const ids = batch.map(({ id }) => id)
  const keys = ids.map((id) => executionKeys(prefix, id).execution)
  const [looked = null, recalled = null] = await job.send([lookCommand(prefix, ids), recallCommand(keys)])
  const looks = readLooks(looked, ids.length)
  const sightings = walk.pass.hasMemory ? readSightings(recalled) : []
  const nowMs = walk.nowMs()
  const outcome: Outcome = { stale: [], seen: [], due: [] }
  for (const [at, candidate] of batch.entries()) {
    const look = looks[at]
    if (look === undefined || !stands(candidate, look)) continue
    file(walk, { id: candidate.id, look, sighting: sightings[at], nowMs }, outcome)
  }
  await carryOut(walk, outcome)
}

const stands = ({ onlyAs }: Candidate, look: Look) =>
  look.kind !== 'gone' && (onlyAs === undefined || onlyAs === look.first)

/** What is to be written about a batch. */
interface Outcome {
  readonly stale: string[]
  readonly seen: (readonly [key: string, sighting: Sighting])[]
  readonly due: DueExecution[]
}

interface Met {
  readonly id: string
  readonly look: Look
  readonly sighting: Sighting | undefined
  readonly nowMs: number
}

/** Judges an execution, counts it and notes what is to be written. */
function file(
  { cutoffMs, mayRemove, prefix, tally }: Walk,
  { id, look, sighting, nowMs }: Met,
  outcome: Outcome,
): void {
  const judged = judge(look, { sighting, nowMs, cutoffMs })
  const verdict = judged === 'due' && !mayRemove ? 'waiting' : judged
  if (verdict === undefined || look.kind === 'gone') return
  const keys = executionKeys(prefix, id)
  const isWhole = look.first === 'execution'
  if (verdict === 'unreadable') tally.addUnreadable(keys[look.first])
  else tally.add(verdict, isWhole)
  if (verdict === 'waiting') return
  if (verdict === 'due' && look.kind === 'lasting') return void outcome.due.push({ id, state: look.state, isWhole })
  if (sighting !== undefined) outcome.stale.push(keys.execution)
  if (look.kind === 'lasting') outcome.seen.push([keys.execution, { sinceMs: nowMs, state: look.state }])
}

async function carryOut({ job, prefix, tally, sightings }: Walk, { stale, seen, due }: Outcome): Promise<void> {
  if (sightings === undefined) return
  const hasRoom = await sightings.write({ stale, seen })
  if (!hasRoom && !job.findings.remarks.includes(NO_ROOM)) job.findings.remarks.push(NO_ROOM)
  const removals = await removeExecutions(job.send, prefix, due)
  for (const [at, removal] of removals.entries()) tally.addRemoval(removal, due[at]?.isWhole === true)
}
