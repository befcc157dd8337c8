import { ulid } from 'ulid'
import type { Clock } from '../clock.ts'
import type { Emit, EventLevel } from '../events.ts'
import { AppError, InputError, InterruptedError, isRedisError } from '../errors.ts'
import { isoInstant } from '../calendar.ts'
import { lockKey } from '../redis/keys.ts'
import { tryLock, type Attempt, type Lease } from '../redis/lock.ts'
import { sumOf, type Account, type Cost, type Meter } from '../redis/meter.ts'
import { ALREADY_DONE, endingOf, skippedFor, type Ending } from './ending.ts'
import { createGuard, SweepStopped } from './guard.ts'
import { record, RECORD_COST } from './history.ts'
import { createFindings, createReport, type Findings, type SweepReport } from './report.ts'
import type { Cutoffs } from './retention.ts'
import type { RunSweep, Sweep, SweepRequest } from './sweep.ts'

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
  if (run.request.dryRun || run.request.isPart === true) return await work(run, undefined)
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
      days: request.days,
      organization: request.organization,
      queue: request.queue,
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
