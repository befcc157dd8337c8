import type { InngestConfig } from '../../config.ts'
import { DatabaseError, RedisError } from '../../errors.ts'
import type { Transport } from '../../redis/transport.ts'
import type { Cutoffs } from '../retention.ts'
import { idOf, type InngestDatabase } from './database.ts'
import { judgePage, type JudgedRun } from './judge.ts'
import { createLiveness, type Liveness } from './liveness.ts'
import { notePlaces, type Places } from './places.ts'
import { createRuns, type Runs } from './runs.ts'
import { runSources } from './tables.ts'
import { walkRuns } from './walk.ts'

/** A look at the runs with the eyes of the sweep, for people to see. It changes nothing. */
export interface Inspection {
  readonly liveness: Liveness
  readonly runs: Runs
  /**
   * Every run with its verdict, or those that started before an instant in epoch milliseconds. Costs 3 EXISTS per unfinished
   * one.
   */
  judged(beforeMs?: number): AsyncGenerator<readonly JudgedRun[]>
}

export interface InspectionOptions {
  readonly config: InngestConfig
  /** To the Redis of Inngest; undefined where none is configured. */
  readonly send: Transport | undefined
  readonly cutoffs: Cutoffs
  readonly nowMs: number
}

/** Runs a page. */
const PAGE_SIZE = 2_000

/** The clock of a server may be ahead of ours by so much. */
const AHEAD_MS = 86_400_000

/**
 * Finds out whether Redis may be believed, and where rows are whose tables have no index on their ids. Costs what
 * `createLiveness` costs.
 *
 * @throws DatabaseError
 */
export async function createInspection(database: InngestDatabase, options: InspectionOptions): Promise<Inspection> {
  const { config, send = noRedis, cutoffs, nowMs } = options
  const liveness = await createLiveness({ config, nowMs, send, runs: createRuns(database) })
  const endMs = nowMs + AHEAD_MS
  const runs = createRuns(database, await placesIfNeeded(database, endMs))
  return {
    liveness,
    runs,
    judged: async function* (beforeMs = endMs) {
      const limit = Math.min(PAGE_SIZE, database.dialect.mostBatch)
      const walk = walkRuns(runs, { beforeMs, limit, onUnreadable: () => undefined })
      let isAnyAbandoned = false
      for await (const ids of walk) {
        const page = await judgePage(runs, ids, { bounds: cutoffs, liveness })
        isAnyAbandoned ||= page.some(({ reason }) => reason === 'abandoned')
        yield page
      }
      // As the sweep does before it deletes them.
      if (isAnyAbandoned) await liveness.confirm()
    },
  }
}

const noRedis: Transport = async () => {
  throw new RedisError('REDIS_UNREACHABLE', 'INNGEST_REDIS_URL is not set.')
}

/** A user who may not create temporary tables gets the same answers, only later. */
async function placesIfNeeded(database: InngestDatabase, beforeMs: number): Promise<Places | undefined> {
  if (runSources.every((table) => idOf(database, table)?.isIndexed !== false)) return undefined
  try {
    return await notePlaces(database, { tables: runSources, beforeMs, goOn: async () => undefined })
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'DATABASE_REFUSED') return undefined
    throw error
  }
}
