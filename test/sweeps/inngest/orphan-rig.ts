import { expect } from 'vitest'
import { seenKey } from '../../../src/redis/keys.ts'
import { listOf } from '../../../src/redis/transport.ts'
import { sweepOrphans, type OrphanOptions } from '../../../src/sweeps/inngest/orphans.ts'
import { fixtureKeys, fixtureTruth } from '../../support/inngest-fixture.ts'
import type { RedisContent } from '../../support/inngest-redis.ts'
import { HOUR_MS, NOW_MS, redisRig, type RedisRig } from './redis-rig.ts'

type RunState = 'finished' | 'unfinished'

/** A database that knows these runs, and no other. */
export const databaseOf = (states: Readonly<Record<string, RunState>>): OrphanOptions['database'] => ({
  stateOf: async (ids) => {
    expect(ids.length).toBeLessThanOrEqual(450)
    return new Map(ids.flatMap((id) => (states[id] === undefined ? [] : [[id, states[id]]])))
  },
})

/** What the fixture's database knows after the pass over its rows. */
export const databaseOfFixture = databaseOf(
  Object.fromEntries(
    fixtureTruth().redisGroups.flatMap(({ run, databaseAfterPass: state }) =>
      state === 'unknown' ? [] : [[run, state]],
    ),
  ),
)

export interface OrphanRig extends RedisRig {
  /** One pass over state, each an hour later than the one before. */
  pass(given?: Partial<OrphanOptions>): ReturnType<typeof sweepOrphans>
  /** The runs that are remembered, with the start of the pass that saw them. */
  remembered(): Promise<Readonly<Record<string, number>>>
}

/** To be called inside a suite. */
export function orphanRig(): OrphanRig {
  const rig = redisRig()
  let passes = 0
  return {
    ...rig,
    pass: async (given = {}) => {
      passes += 1
      return await sweepOrphans({
        send: rig.transport.send,
        prefix: 'estate',
        asOfMs: NOW_MS,
        startedAtMs: NOW_MS + passes * HOUR_MS,
        isDryRun: false,
        database: databaseOfFixture,
        onProgress: () => {},
        checkpoint: async () => {},
        ...given,
      })
    },
    remembered: async () => {
      const [reply = null] = await rig.transport.send([['ZRANGE', seenKey('inngest'), 0, -1, 'WITHSCORES']])
      const words = listOf(reply).map(String)
      return Object.fromEntries(words.flatMap((word, at) => (at % 2 === 0 ? [[word, Number(words[at + 1])]] : [])))
    },
  }
}

/** The names that must be left of the fixture. */
export function namesLeft(): readonly string[] {
  const due = new Set(fixtureTruth().redisGroups.flatMap(({ keys, expected }) => (expected === 'delete' ? keys : [])))
  return fixtureKeys()
    .map(({ key }) => key)
    .filter((key) => !due.has(key))
    .toSorted()
}

/** That exactly what the fixture's truth names has gone, and that each idempotency key has an expiry, old ones untouched. */
export function expectTruth({ keys, idempotency }: RedisContent): void {
  expect(keys).toEqual(namesLeft())
  const limited = fixtureTruth().otherRedisKeys.filter(({ expected }) => expected === 'set-ttl-24h')
  const given = new Map(fixtureKeys().map(({ key, pttl }) => [key, pttl]))
  for (const [key, pttl] of Object.entries(idempotency)) {
    const before = limited.some((one) => one.key === key) ? 24 * HOUR_MS : (given.get(key) ?? 0)
    expect({ key, isRight: pttl <= before && pttl > before - 10 * 60_000 }).toEqual({ key, isRight: true })
  }
}

/** That of no run in the fixture a part of its state has gone. */
export function expectWholeRuns({ keys }: RedisContent): void {
  const left = new Set(keys)
  const torn = fixtureTruth().redisGroups.filter((group) => {
    const there = group.keys.filter((key) => left.has(key)).length
    return there !== 0 && there !== group.keys.length
  })
  expect(torn).toEqual([])
}
