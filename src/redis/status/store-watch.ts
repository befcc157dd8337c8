import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import type { Account } from '../meter.ts'
import { BILLED_SAMPLE, OWN_SAMPLE, sampleFamilies, type SampledFamilies } from './families.ts'
import { figuresOf } from './figures.ts'
import { bytesUntold, keysUntold, linesOf, queueLine, queuesLine, tooSlow, worstOf } from './lines.ts'
import { readFacts, type ReadFacts } from './server-facts.ts'
import { createShared, type Shared } from '../shared.ts'
import type { QueueDepths, StatusLine, StatusStore, StoreStatus } from './status.ts'

export interface WatchOptions {
  readonly clock: Clock
  /** Milliseconds for which one answer of the server stands. */
  readonly shareMs: number
  /** Milliseconds after which an answer is no longer waited for. */
  readonly deadlineMs: number
  /** Told of what is no failure of Redis. */
  readonly onDefect: (error: unknown) => void
}

/** Looks at one Redis. Never throws; at most one look is under way. */
export interface StoreWatch {
  /** `thorough` counts families of keys and, where that is billed, queues anew if it was not done lately; else old counts do. */
  look(how: { readonly thorough: boolean }): Promise<StoreStatus>
}

/** Milliseconds for which a count stands on a server of one's own, where it costs a moment, and where it is billed. */
const OWN_COUNT_MS = 60_000
const BILLED_COUNT_MS = 3_600_000

/** What the keys of BullMQ begin with, unless somebody chose otherwise. */
const USUAL_QUEUE_PREFIX = 'bull'

/** What could not be read in time. */
const LATE = Symbol('late')
const saysLate = (): typeof LATE => LATE

export function createStoreWatch(store: StatusStore, options: WatchOptions): StoreWatch {
  const { clock, shareMs, deadlineMs } = options
  const account = store.meter.open('redis-check')
  const facts = createShared(() => readFacts(account.send, { store, nowMs: clock() }), clock)
  const known = async () => facts.latest(Infinity) ?? (await facts.within(shareMs))
  const families = createShared(async () => {
    return await countFamilies(store, account, await known())
  }, clock)
  const queues = createShared(async () => (await store.queues?.read(account.send, await known())) ?? NO_QUEUES, clock)

  const counted = async (found: ReadFacts, thorough: boolean): Promise<Counts> => {
    const countMs = found.isBilled ? BILLED_COUNT_MS : OWN_COUNT_MS
    const queuesMs = found.isBilled ? countMs : shareMs
    const [sampled, depths] = await Promise.all([
      thorough && found.kind !== 'memory' ? orFailure(families.within(countMs)) : families.latest(BILLED_COUNT_MS),
      thorough || !found.isBilled ? orFailure(queues.within(queuesMs)) : queues.latest(BILLED_COUNT_MS),
    ])
    return { sampled, depths }
  }

  const look = async (thorough: boolean, late: Promise<typeof LATE>): Promise<StoreStatus> => {
    const found = await Promise.race([facts.within(shareMs), late])
    if (found === LATE) return unanswered(store, { code: 'REDIS_UNREACHABLE', message: noAnswer(deadlineMs) })
    const counts = await Promise.race([counted(found, thorough), late])
    const last = { sampled: families.latest(BILLED_COUNT_MS), depths: queues.latest(BILLED_COUNT_MS) }
    return counts === LATE
      ? statusOf(store, found, { ...last, note: tooSlow('keys and queues') })
      : statusOf(store, found, counts)
  }

  return {
    look: async ({ thorough }) => {
      const inTime = new AbortController()
      const late = sleep(deadlineMs, undefined, { signal: inTime.signal }).then(saysLate, saysLate)
      try {
        return await look(thorough, late)
      } catch (error) {
        if (!(error instanceof AppError)) options.onDefect(error)
        return unanswered(store, toldOf(error))
      } finally {
        inTime.abort()
      }
    },
  }
}

/** Undefined is what nobody counted, an error what could not be. */
interface Counts {
  readonly sampled: SampledFamilies | AppError | undefined
  readonly depths: QueueDepths | AppError | undefined
  /** What is to be said of the counting itself. */
  readonly note?: StatusLine
}

const NO_QUEUES: QueueDepths = { queues: [], leftOut: 0, isSearchWhole: true }

async function countFamilies(store: StatusStore, { send }: Account, { isBilled, databaseKeys }: ReadFacts) {
  const size = isBilled ? BILLED_SAMPLE : OWN_SAMPLE
  const queuePrefixes = [...new Set([store.queues?.prefix ?? USUAL_QUEUE_PREFIX, USUAL_QUEUE_PREFIX])]
  return await sampleFamilies(send, { ...size, totalKeys: databaseKeys, queuePrefixes })
}

/** What the server said of itself is worth telling whatever becomes of the counts; a defect is not for a line. */
async function orFailure<Result>(work: ReturnType<Shared<Result>['within']>): Promise<Result | AppError> {
  try {
    return await work
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

function statusOf(store: StatusStore, facts: ReadFacts, { sampled, depths, note }: Counts): StoreStatus {
  const counted = depths === undefined || depths instanceof AppError ? undefined : depths
  const families = sampled instanceof AppError ? undefined : sampled?.families
  const lines = [
    ...linesOf(facts),
    ...familyLines(facts, sampled),
    ...queueLines(depths),
    ...(note === undefined ? [] : [note]),
  ]
  return {
    name: store.name,
    ok: true,
    verdict: worstOf(lines),
    error: null,
    lines,
    figures: facts.figures,
    families: families ?? null,
    queues: counted?.queues ?? [],
    areQueuesComplete: store.queues === undefined ? null : counted !== undefined && queuesLine(counted) === undefined,
    slowLog: facts.slowLog ?? [],
    billedCommands: store.meter.cost().billed,
  }
}

function familyLines({ isBilled }: ReadFacts, sampled: Counts['sampled']): readonly StatusLine[] {
  if (sampled instanceof AppError) return [keysUntold('key families', sampled)]
  // A provider may not offer it at all, which no right would change.
  return sampled === undefined || sampled.unweighed === 0 || isBilled ? [] : [bytesUntold(sampled.unweighed)]
}

function queueLines(depths: Counts['depths']): readonly StatusLine[] {
  if (depths === undefined) return []
  if (depths instanceof AppError) return [keysUntold('queues', depths)]
  return [...depths.queues.map(queueLine), ...[queuesLine(depths) ?? []].flat()]
}

const NOTHING_TOLD = figuresOf({ info: new Map(), nowMs: 0, settings: new Map() })

const unanswered = ({ name, meter, queues }: StatusStore, error: StoreStatus['error']): StoreStatus => ({
  name,
  ok: false,
  verdict: 'bad',
  error,
  lines: [],
  figures: NOTHING_TOLD,
  families: null,
  queues: [],
  areQueuesComplete: queues === undefined ? null : false,
  slowLog: [],
  billedCommands: meter.cost().billed,
})

const noAnswer = (ms: number) => `Redis is unreachable: no answer within ${ms / 1_000} s.`

/** Only our own errors are known to hold no secrets. */
const toldOf = (error: unknown) =>
  error instanceof AppError
    ? { code: error.code, message: error.message }
    : { code: 'UNEXPECTED', message: 'A defect of Orderly ended the look. Please report it.' }
