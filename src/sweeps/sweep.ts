import { ulid } from 'ulid'
import type { Clock } from '../clock.ts'
import type { Emit, EventLevel } from '../events.ts'
import { AppError, InputError, InterruptedError, isRedisError } from '../errors.ts'
import { isoInstant } from '../calendar.ts'
import { lockKey } from '../redis/keys.ts'
import { tryLock, type Attempt, type Lease } from '../redis/lock.ts'
import { sumOf, type Account, type Cost, type Meter } from '../redis/meter.ts'
import type { Transport } from '../redis/transport.ts'
import { ALREADY_DONE, endingOf, skippedFor, type Ending } from './ending.ts'
import { createGuard, SweepStopped } from './guard.ts'
import { record, RECORD_COST } from './history.ts'
import { createFindings, createReport, type Findings, type SweepReport, type Trigger } from './report.ts'
import type { Cutoffs } from './retention.ts'

/** What a sweep is handed for one run. */
export interface SweepJob extends Cutoffs {
  readonly asOfMs: number
  readonly dryRun: boolean
  /** Charged, capped and interruptible: the only way to Redis. */
  readonly send: Transport
  /**
   * To be called between pieces of work that send nothing to Redis, such as pages of a database.
   *
   * @throws SweepStopped when the run must not go on.
   */
  readonly goOn: () => Promise<void>
  /** Waits for a long piece of such work and keeps the lease meanwhile. */
  readonly during: <Result>(work: Promise<Result>) => Promise<Result>
  /** Billed commands that the run may still spend. */
  readonly left: () => number
  /** Counts, filled in as the work goes on. */
  readonly findings: Findings
  /** To be called after each batch. */
  readonly onProgress: () => void
}

/** One store's hygiene. `run` deletes what is due and counts; it may end at any request, and the next run completes it. */
export interface Sweep {
  readonly name: string
  readonly defaultDays: number
  /** The least days that may be asked for. @default 0 */
  readonly leastDays?: number
  /** Whether every run is a dry one, whoever asks for another. @default false */
  readonly isAlwaysDry?: boolean
  /** Whether a lock of the sweep's own keeps other runs out even without the lease. @default false */
  readonly hasOwnLock?: boolean
  /** The Redis that the sweep works on, and in which its lock lives. @default Orderly's own */
  readonly meter?: Meter
  cutoffs(days: number, asOfMs: number): Cutoffs
  run(job: SweepJob): Promise<void>
}

/** Work that several instances may begin but only one may complete: asked and told under the lock. */
export interface Once {
  /** Whether it was completed before. Costs 1 command. */
  isDone(send: Transport): Promise<boolean>
  /** Records that it is completed. Costs 1 command. */
  markDone(send: Transport): Promise<void>
}

export interface SweepRequest {
  readonly trigger: Trigger
  /** The user who asks, where one does. */
  readonly by?: string
  /** @default the sweep's configured retention */
  readonly days?: number
  /** Judge as if it were then, in epoch milliseconds. @default now */
  readonly asOfMs?: number
  /** Count only: no lock, no deletion, no history. */
  readonly dryRun: boolean
  /** Billed commands that the run may spend at most, lock, record and release included. @default no cap */
  readonly maxCommands?: number
  /** 1 for the first run of a slot, one more for each retry. @default 1 */
  readonly attempt?: number
  /** Keep unfinished things however old they are. @default false */
  readonly sparesOpen?: boolean
  /** For a slot of a schedule: the run is skipped when it was completed before, and marks it when it is done. */
  readonly once?: Once
  readonly signal?: AbortSignal
  readonly onProgress?: (findings: Readonly<Findings>) => void
}

/** A run's report, and a stable code for why it did not end well: see `Ending`. */
export interface SweepRun {
  readonly report: SweepReport
  readonly code: Ending['code']
}

/**
 * Runs one sweep under its lock and reports; what goes wrong on the way is the report's outcome, not an exception.
 *
 * Costs the sweep's own commands plus at most 5 (lock 1, record 1, release 3), 1 more for each full minute; a dry run only
 * the sweep's own.
 *
 * @throws InputError for days that are not a whole number from 0 (or the sweep's least) to 365, or a cap below 1.
 */
export type RunSweep = (request: SweepRequest) => Promise<SweepRun>

export interface RunnerOptions {
  readonly meter: Meter
  readonly clock: Clock
  readonly zone: string
  readonly emit: Emit
  /** Told of errors that only a defect explains. */
  readonly onDefect: (error: unknown) => void
}

/** What giving the lock back is billed. */
const RELEASING = { EVAL: 1, GET: 1, DEL: 1 }
const RELEASE_COST = 3

/** Turns a sweep into the function that all of command, schedule and CLI call. */
export const createSweepRunner =
  (options: RunnerOptions) =>
  (sweep: Sweep): RunSweep =>
  async (asked) => {
    checkRequest(sweep, asked)
    const request = sweep.isAlwaysDry === true ? { ...asked, dryRun: true } : asked
    const run = beginRun(sweep, request, options)
    const ending = await workUnderLock(run)
    const report = createReport(run, ending, costOf(run))
    emitFinished(options.emit, report)
    return { report, code: ending.code }
  }

function checkRequest({ leastDays = 0 }: Sweep, { days = leastDays, maxCommands = 1 }: SweepRequest): void {
  if (!Number.isInteger(days) || days < leastDays || days > 365) {
    throw new InputError(`The number of days must be a whole number from ${leastDays} to 365.`)
  }
  if (!Number.isInteger(maxCommands) || maxCommands < 1) {
    throw new InputError('The cap on Redis commands must be a whole number from 1 on.')
  }
}

/** A run under way: what was asked, and what has come of it so far. */
interface Run extends RunnerOptions {
  readonly id: string
  readonly sweep: Sweep
  readonly request: SweepRequest
  /** Of the Redis that the sweep works on. */
  readonly account: Account
  /** Of Orderly's own Redis, which keeps history and schedule: the same account where the sweep works on that one. */
  readonly home: Account
  readonly findings: Findings
  readonly startedAtMs: number
  readonly asOfMs: number
  readonly days: number
  readonly cutoffs: Cutoffs
}

function beginRun(sweep: Sweep, request: SweepRequest, options: RunnerOptions): Run {
  const startedAtMs = options.clock()
  const { asOfMs = startedAtMs, days = sweep.defaultDays } = request
  const home = options.meter.open(`sweep:${sweep.name}`)
  return {
    ...options,
    id: ulid(startedAtMs),
    sweep,
    request,
    account: sweep.meter?.open(`sweep:${sweep.name}`) ?? home,
    home,
    findings: createFindings(),
    startedAtMs,
    asOfMs,
    days,
    cutoffs: sweep.cutoffs(days, asOfMs),
  }
}

/** What a run has spent in both of its Redis. */
const costOf = ({ account, home }: Run): Cost => (account === home ? home.cost() : sumOf(account.cost(), home.cost()))

async function workUnderLock(run: Run): Promise<Ending> {
  if (run.request.dryRun) return await work(run, undefined)
  let lease: Lease | undefined
  try {
    const attempt = await takeLock(run, run.account).catch((error: unknown) => lockAtHome(run, error))
    if (attempt !== 'no-room' && !attempt.held) return skippedFor(attempt.holder)
    lease = attempt === 'no-room' ? undefined : attempt.lease
  } catch (error) {
    return endingBy(run, error)
  }
  const ending = await work(run, lease)
  await conclude(run, ending, lease)
  return ending
}

/** A foreign Redis that cannot be asked must not keep the sweep from what can be done without it. */
async function lockAtHome(run: Run, error: unknown): Promise<Attempt | 'no-room'> {
  if (run.account === run.home || !isRedisError(error)) throw error
  return await takeLock(run, run.home)
}

/** Where a full Redis has no room for the lock, the sweep that makes room runs without it: deleting twice does no harm. */
async function takeLock(run: Run, account: Account): Promise<Attempt | 'no-room'> {
  const { sweep, request, clock, zone, startedAtMs, findings } = run
  if (request.signal?.aborted === true) throw new SweepStopped('interrupted')
  if ((request.maxCommands ?? Infinity) <= 1 + RECORD_COST + RELEASE_COST) throw new SweepStopped('cap')
  const by = request.by === undefined ? '' : ` by ${request.by}`
  const holder = `${request.trigger}${by}, started ${isoInstant(startedAtMs, zone)}`
  try {
    return await tryLock(account.send, lockKey(sweep.name), { clock, holder })
  } catch (error) {
    if (!isRedisError(error, 'REDIS_FULL')) throw error
    findings.remarks.push('Redis had no room for the lock, so the run went on without it.')
    return 'no-room'
  }
}

async function work(run: Run, lease: Lease | undefined): Promise<Ending> {
  const { sweep, request, account, home, clock, findings, asOfMs, cutoffs } = run
  const reserve = request.dryRun ? 0 : RECORD_COST + (lease === undefined ? 0 : RELEASE_COST)
  const maxCommands = request.maxCommands ?? Infinity
  const canLoseLease = sweep.hasOwnLock === true
  const guard = createGuard({ account, clock, signal: request.signal, maxCommands, reserve, lease, canLoseLease })
  const sendHome = account === home ? guard.send : home.send
  try {
    if ((await request.once?.isDone(sendHome)) === true) return ALREADY_DONE
    await sweep.run({
      ...cutoffs,
      ...(request.sparesOpen === true && { extendedCutoffMs: 0 }),
      asOfMs,
      dryRun: request.dryRun,
      send: guard.send,
      goOn: guard.goOn,
      during: guard.during,
      left: guard.left,
      findings,
      onProgress: () => request.onProgress?.(findings),
    })
    await request.once?.markDone(sendHome)
    return { outcome: request.dryRun ? 'planned' : 'done', code: null, because: null }
  } catch (error) {
    return endingBy(run, error)
  }
}

/** Records the run and gives the lock back, as far as Redis lets it; a provider that refuses everything is not asked. */
async function conclude(run: Run, ending: Ending, lease: Lease | undefined): Promise<void> {
  if (ending.code === 'REDIS_LIMIT' && run.account === run.home) return
  const isHeld = lease !== undefined && ending.code !== 'LEASE_LOST'
  const remark = (text: string) => (error: unknown) => {
    if (!(error instanceof AppError)) throw error
    run.findings.remarks.push(`${text} ${error.message}`)
    return error
  }
  const isNews = ending.outcome !== 'skipped'
  const recorded = () =>
    record(run, ending, { send: run.home.send, spent: costOf(run), upcoming: isHeld ? RELEASING : {} })
  const failure = isNews ? await recorded().catch(remark(UNRECORDED)) : undefined
  if (!isHeld) return
  if (run.account === run.home && isSilent(failure)) run.findings.remarks.push(LOCK_STAYS)
  else await lease.release().catch(remark(LOCK_STAYS))
}

const UNRECORDED = 'The run is not in the history.'
const LOCK_STAYS = 'The lock stays for up to 2 minutes.'

/** Whether Redis would answer the next command no better. */
const isSilent = (failure: unknown) =>
  isRedisError(failure, 'REDIS_UNREACHABLE') ||
  isRedisError(failure, 'REDIS_LIMIT') ||
  failure instanceof InterruptedError

function endingBy({ onDefect }: Run, error: unknown): Ending {
  const ending = endingOf(error)
  if (ending.code === 'UNEXPECTED') onDefect(error)
  return ending
}

function emitFinished(emit: Emit, report: SweepReport): void {
  const { sweep, id, trigger, dryRun, outcome, mode, summary, because } = report
  const { scanned, deleted, billedCommands, durationMs } = report
  const level: EventLevel = outcome === 'failed' ? 'error' : outcome === 'stopped' ? 'warn' : 'info'
  emit(level, 'sweep.finished', {
    sweep,
    id,
    trigger,
    dryRun,
    outcome,
    mode,
    summary,
    because,
    scanned,
    deleted,
    billedCommands,
    durationMs,
  })
}
