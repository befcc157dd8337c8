import { systemClock } from '../clock.ts'
import { InputError } from '../errors.ts'
import type { QueuePlace } from '../sweeps/bullmq/keys.ts'
import { existingQueues, listQueues } from '../sweeps/bullmq/queues.ts'
import { clearQueue, type Clearance } from '../sweeps/bullmq/queue-clear.ts'
import type { Io } from './io.ts'
import { createProgress } from './progress.ts'
import { withQueueRedis, type QueueRedis } from './redis-queue-open.ts'
import { awaitedText, queueText } from './redis-queue-text.ts'
import { failed, WrongUseError, type CommandError, type CommandResult } from './result.ts'
import { counted, printable } from './text.ts'

export interface QueueClearOptions {
  readonly url?: string
  /** Deletes; without it nothing is changed. */
  readonly apply?: boolean
}

/** `orderly redis queue clear <name>`: counts what would go, or with `apply` empties the queue and leaves no orphans. */
export async function queueClearCommand(name: string, options: QueueClearOptions, io: Io): Promise<CommandResult> {
  if (name === '' || name.includes(':')) throw new WrongUseError('The name of a queue has no colon and is not empty.')
  const isDryRun = options.apply !== true
  return await withQueueRedis(options.url, (redis) => clear(redis, { name, isDryRun, io }), io)
}

interface Asked {
  readonly name: string
  readonly isDryRun: boolean
  readonly io: Io
}

async function clear({ send, prefix }: QueueRedis, { name, isDryRun, io }: Asked): Promise<CommandResult> {
  const place = { prefix, queue: name }
  const found = await existingQueues(send, { prefix, names: [name] })
  if (found.length === 0) throw unknownQueue(await listQueues(send, prefix))
  const progress = createProgress(io, systemClock)
  let clearance: Clearance | undefined
  const onProgress = (soFar: Clearance) => {
    clearance = soFar
    progress.show(`${counted(jobsOf(soFar), 'job')} looked at`)
  }
  const error = await clearQueue({ send, place, isDryRun, nowMs: systemClock(), onProgress }).then(
    (done) => awaitedError(done, place, isDryRun),
    (thrown: unknown) => failed(thrown).error,
  )
  progress.clear()
  if (clearance === undefined) return { data: null, text: '', error, warnings: [] }
  const warning = isDryRun ? awaitedText(clearance, place) : error?.code === 'REDIS_UNREACHABLE' ? UNKNOWN : undefined
  return {
    data: dataOf(clearance, { name, prefix, isDryRun }),
    text: queueText(clearance, { queue: name, isDryRun, isThrough: error === null || error.code === 'JOBS_AWAITED' }),
    error,
    warnings: warning === undefined ? [] : [warning],
  }
}

const UNKNOWN = 'It is unknown how many jobs of the last request went, if any.'

const jobsOf = ({ states }: Clearance) => states.reduce((sum, { jobs }) => sum + jobs, 0)

/** A queue that was to be emptied and is not is a failure for scripts. */
function awaitedError(clearance: Clearance, place: QueuePlace, isDryRun: boolean): CommandError | null {
  const message = awaitedText(clearance, place)
  return message === undefined || isDryRun ? null : { code: 'JOBS_AWAITED', message }
}

/** How many queues an error names. */
const MOST_NAMES = 20

function unknownQueue(names: readonly string[]): InputError {
  const told = names.slice(0, MOST_NAMES).map((name) => printable(name, 60))
  const rest = names.length > told.length ? ` and ${names.length - told.length} more` : ''
  const there = names.length === 0 ? 'There is none under this prefix.' : `There are: ${told.join(', ')}${rest}.`
  return new InputError(`There is no such queue. ${there} The prefix is that of BULLMQ_PREFIX.`)
}

function dataOf({ states, waitingBases, ...rest }: Clearance, { name, prefix, isDryRun }: DataOptions) {
  return {
    queue: name,
    prefix,
    dryRun: isDryRun,
    states,
    ...rest,
    waitingQueues: [...waitingBases].map((base) => base.slice(0, -1)),
  }
}

interface DataOptions {
  readonly name: string
  readonly prefix: string
  readonly isDryRun: boolean
}
