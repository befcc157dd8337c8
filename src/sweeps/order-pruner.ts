import type { Clock } from '../clock.ts'
import { InterruptedError, isRedisError, RedisError } from '../errors.ts'
import type { Emit } from '../events.ts'
import { isoInstant } from '../calendar.ts'
import { orderIdOf, type OrderId } from '../orders/order.ts'
import { createFirstTime, REMEMBERED_NAMES } from '../redis/first-time.ts'
import { ORDER_PATTERN } from '../redis/keys.ts'
import { withRepeats } from '../redis/repeat.ts'
import { isMangled, scanPages } from '../redis/scan.ts'
import { ask, integerOf, textOf, type Transport } from '../redis/transport.ts'
import { createValueReader, type ValueReader } from '../redis/values.ts'
import { SweepStopped } from './guard.ts'
import { judgeKey, judgeValue, type Judged, type OrderWindow, type Verdict } from './order-verdict.ts'
import { countUnreadable, type Findings } from './report.ts'
import { calendarCutoffs } from './retention.ts'
import type { Sweep, SweepJob } from './sweep.ts'

/** Keys that one UNLINK deletes at most. */
const UNLINK_KEYS = 5_000

/** Deletions of one run that are logged at info; the rest at debug. */
const LOGGED_DELETIONS = 1_000

export interface OrderPrunerOptions {
  readonly clock: Clock
  readonly zone: string
  readonly emit: Emit
  /** Calendar days kept when a run names none. */
  readonly defaultDays: number
  /** Told of orders that were deleted, or may have been. */
  readonly onDeleted: (ids: readonly OrderId[]) => void
}

/**
 * The sweep over orders. Costs 1 SCAN per 1 000 keys of the database, 1 MGET per 2 000 orders (or 3 MB) whose key does not
 * decide, 1 UNLINK per 5 000 due ones, and 1 TYPE for each key that holds no text. Never KEYS.
 */
export const createOrderPruner = ({ clock, zone, emit, defaultDays, onDeleted }: OrderPrunerOptions): Sweep => ({
  name: 'orders',
  defaultDays,
  cutoffs: (days, asOfMs) => calendarCutoffs({ days, zone }, asOfMs),
  run: (job) => prune(job, { emit, onDeleted, window: { ...job, nowMs: clock(), zone } }),
})

interface Due {
  readonly key: string
  readonly timeMs: number | undefined
}

/** What a run has besides its job. */
interface Surroundings extends Pick<OrderPrunerOptions, 'emit' | 'onDeleted'> {
  readonly window: OrderWindow
}

/** A run's buffers, bounded by a page and the sizes of MGET and UNLINK. */
interface Work extends Surroundings {
  readonly job: SweepJob
  /** For reads only. */
  readonly repeating: Transport
  readonly reader: ValueReader
  toRead: string[]
  due: Due[]
}

async function prune(job: SweepJob, surroundings: Surroundings): Promise<void> {
  let wasRepeated = false
  const repeating = withRepeats(job.send, { onRepeat: () => void (wasRepeated = true) })
  const { window } = surroundings
  const work: Work = { job, ...surroundings, repeating, reader: createValueReader(repeating), toRead: [], due: [] }
  const isNew = createFirstTime(() => remark(job.findings, FORGETFUL))
  try {
    for await (const page of scanPages(leavingRoom(work), { match: ORDER_PATTERN })) {
      for (const key of page) if (isNew(key)) file(work, key, judgeKey(key, window))
      while (work.toRead.length >= work.reader.batchSize()) await readBatch(work)
      while (work.due.length >= UNLINK_KEYS) await deleteBatch(work)
      job.onProgress()
    }
    while (work.toRead.length > 0) await readBatch(work)
  } catch (error) {
    // The cap leaves room to delete what was judged before it was met.
    if (error instanceof SweepStopped && error.reason === 'cap') await deleteAll(work)
    throw error
  }
  await deleteAll(work)
  if (wasRepeated) remark(job.findings, REPEATED)
}

/** Scans only while the keys that it brings can still be read and deleted. */
const leavingRoom =
  (work: Work): Transport =>
  async (commands) => {
    needRoom(work, commands.length + 1)
    return await work.repeating(commands)
  }

/** Stops at the cap while one deletion can still follow, so that every run with a cap gets something done. */
function needRoom({ job }: Work, commands: number): void {
  if (job.left() < commands + (job.dryRun ? 0 : 1)) throw new SweepStopped('cap')
}

async function deleteAll(work: Work): Promise<void> {
  while (work.due.length > 0) await deleteBatch(work)
}

/** Counts a judged key and puts it where it goes next. */
function file({ job, toRead, due }: Work, key: string, { verdict, timeMs }: Judged<Verdict | 'read'>): void {
  switch (verdict) {
    case 'read':
      toRead.push(key)
      return
    case 'due':
      job.findings.due += 1
      if (!job.dryRun) due.push({ key, timeMs })
      return
    case 'kept':
      job.findings.kept += 1
      return
    case 'kept-open':
      job.findings.keptOpen += 1
      return
    case 'unreadable':
      countUnreadable(job.findings, key)
      return
    default:
      verdict satisfies never
  }
}

async function readBatch(work: Work): Promise<void> {
  const { job, window, reader } = work
  needRoom(work, 1)
  const keys = work.toRead.splice(0, reader.batchSize())
  const texts = await reader.read(keys)
  job.findings.valueBytes = reader.bytesRead()
  const withoutText: string[] = []
  for (const [at, key] of keys.entries()) {
    const text = texts[at] ?? null
    if (text === null) withoutText.push(key)
    else file(work, key, judgeValue(key, text, window))
  }
  await countTypes(work, withoutText)
}

/** Tells keys that have gone since the scan, which do not count, from keys of another type, which nobody can read. */
async function countTypes(work: Work, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return
  needRoom(work, keys.length)
  const { job, repeating } = work
  const types = await repeating(keys.map((key) => ['TYPE', key]))
  for (const [at, key] of keys.entries()) {
    const type = textOf(types[at] ?? null)
    const hasGone = type === 'string' || (type === 'none' && !isMangled(key))
    if (!hasGone) countUnreadable(job.findings, key)
  }
}

async function deleteBatch({ job, window, emit, onDeleted, due }: Work): Promise<void> {
  const batch = due.splice(0, UNLINK_KEYS)
  const forget = () => onDeleted(batch.map(({ key }) => orderIdOf(key)))
  try {
    const deletedBefore = job.findings.deleted
    job.findings.deleted += integerOf(await ask(job.send, ['UNLINK', ...batch.map(({ key }) => key)]))
    forget()
    for (const [at, { key, timeMs }] of batch.entries()) {
      const level = deletedBefore + at < LOGGED_DELETIONS ? 'info' : 'debug'
      emit(level, 'order.deleted', () => ({
        order: orderIdOf(key),
        orderTime: timeMs === undefined ? null : isoInstant(timeMs, window.zone),
      }))
    }
  } catch (error) {
    const unknown = `It is unknown how many of the last ${batch.length} orders went.`
    if (error instanceof InterruptedError || isRedisError(error, 'REDIS_UNREACHABLE')) forget()
    if (error instanceof InterruptedError) throw new InterruptedError(`${error.message} ${unknown}`)
    if (!isRedisError(error, 'REDIS_UNREACHABLE')) throw error
    const message = `Redis did not answer a deletion. ${unknown} The next run completes it.`
    throw new RedisError('REDIS_UNREACHABLE', message, { cause: error })
  }
}

const FORGETFUL = `There are more than ${REMEMBERED_NAMES} orders, so one may be counted twice; the number of deleted ones is exact.`
const REPEATED =
  'A request had to be repeated; if the server restarted in between, the next run may find orders that this one missed.'

function remark({ remarks }: Findings, text: string): void {
  if (!remarks.includes(text)) remarks.push(text)
}
