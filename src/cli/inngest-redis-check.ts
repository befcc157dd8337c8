import { ConfigError, DatabaseError, isRedisError } from '../errors.ts'
import { createRuns } from '../sweeps/inngest/runs.ts'
import { checkState, type StateCheck } from '../sweeps/inngest/state-check.ts'
import { readRedisFacts, type RedisFacts } from './inngest-redis-facts.ts'
import { redisText } from './inngest-redis-text.ts'
import type { Io } from './io.ts'
import { withDatabase, withInngest, type InngestParts } from './open-inngest.ts'
import { failed, type CommandError, type CommandResult } from './result.ts'

/** What a look at both stores of an Inngest found; undefined is what nobody could tell. */
export interface RedisCheck {
  readonly facts: RedisFacts | undefined
  readonly hasUnfinishedRuns: boolean | undefined
  readonly state: StateCheck | undefined
}

/**
 * `orderly inngest redis-check`: whether the Redis of Inngest answers, what is in it, and whether the sweep may believe it.
 * Where one of both stores cannot be read, what the other one tells is told all the same.
 */
export async function inngestRedisCheckCommand(io: Io): Promise<CommandResult> {
  return await withInngest(io, async (parts) => {
    const redis = await told(readFacts(parts))
    const database = await told(askDatabase(parts, redis.found !== undefined))
    const check = { facts: redis.found, hasUnfinishedRuns: undefined, state: undefined, ...database.found }
    return {
      data: dataOf(check),
      text: redisText(check),
      error: redis.error ?? database.error ?? doubtOf(check),
      warnings: parts.config.isRedisAware ? [] : [SWITCHED_OFF],
    }
  })
}

const SWITCHED_OFF = 'USE_REDIS_AWARE_CLEANUP=false: the sweep does not ask Redis, whatever this says.'

interface Told<Found> {
  readonly found: Found | undefined
  readonly error: CommandError | null
}

/** What was found, or why a store could not be read. */
async function told<Found>(looking: Promise<Found>): Promise<Told<Found>> {
  try {
    return { found: await looking, error: null }
  } catch (error) {
    const isAnswer = isRedisError(error) || error instanceof DatabaseError || error instanceof ConfigError
    if (!isAnswer) throw error
    return { found: undefined, error: failed(error).error }
  }
}

async function readFacts(parts: InngestParts): Promise<RedisFacts> {
  if (parts.account === undefined) throw new ConfigError([NO_REDIS])
  return await readRedisFacts(parts.account.send, parts)
}

const NO_REDIS =
  'INNGEST_REDIS_URL is required: it names the Redis of the Inngest server. Without it no unfinished run is ever deleted.'

const askDatabase = (parts: InngestParts, isRedisThere: boolean): Promise<Omit<RedisCheck, 'facts'>> =>
  withDatabase(parts, async (database) => {
    const runs = createRuns(database)
    const hasOpenRuns = await runs.hasUnfinished()
    const { known: knownRuns, knowsFunction } = runs
    const { keyPrefix: prefix } = parts.config
    const options = { prefix, nowMs: parts.app.clock(), hasOpenRuns, knownRuns, knowsFunction }
    const send = isRedisThere ? parts.account?.send : undefined
    return { hasUnfinishedRuns: hasOpenRuns, state: send && (await checkState(send, options)) }
  })

/** A check that fails is a failure for scripts. */
const doubtOf = ({ state }: RedisCheck): CommandError | null =>
  state?.ok === false ? { code: 'STATE_CHECK', message: state.because } : null

/** The same fields as of a Redis that answers. */
const UNKNOWN = {
  latencyMs: null,
  server: null,
  version: null,
  evictionPolicy: null,
  maxMemoryBytes: null,
  keys: null,
  kinds: [],
  prefixes: [],
} satisfies Record<keyof Omit<RedisFacts, 'runIds'>, unknown>

function dataOf({ facts, hasUnfinishedRuns, state }: RedisCheck) {
  const { runIds: _, ...known } = facts ?? { ...UNKNOWN, runIds: [] }
  return {
    ok: facts !== undefined,
    ...known,
    hasUnfinishedRuns: hasUnfinishedRuns ?? null,
    stateCheck: state === undefined ? null : checkOf(state),
  }
}

const checkOf = (state: StateCheck) =>
  state.ok ? { ok: true, prefix: state.prefix, because: null } : { ok: false, prefix: null, because: state.because }
