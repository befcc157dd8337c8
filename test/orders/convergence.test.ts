import { Buffer } from 'node:buffer'
import type * as timers from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { unreachable } from '../../src/redis/failures.ts'
import { createUpstashConnection } from '../../src/redis/upstash.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Connection, Transport } from '../../src/redis/transport.ts'
import { naiveFold } from '../support/naive-fold.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { startRestServer, type Fault, type RestServer } from '../support/rest-server.ts'
import type { Carrier, Trouble } from '../support/rough-road.ts'
import { createTwoDesks, type Tally, type TwoDesksOptions } from '../support/two-desks.ts'
import { Coincidence } from '../support/two-desks-checks.ts'
import { stepsWith } from '../support/two-desks-steps.ts'

// The pauses before a repetition are real seconds; what is tested is what a repetition does.
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<typeof timers>()),
  setTimeout: async () => undefined,
}))

// Loss is made on purpose. A deadline that a busy machine misses would be a loss that the map of the store knows nothing of.
const DEADLINE_MS = 20_000

describeWithRedis('two instances on one Redis', () => {
  let server: RedisServer
  let rest: RestServer
  const open: Connection[] = []
  beforeAll(async () => {
    server = await startRedisServer()
    rest = await startRestServer({ redisUrl: server.url })
    for (let count = 0; count < 3; count++) open.push(createTcpConnection({ url: server.url, deadlineMs: DEADLINE_MS }))
    for (let count = 0; count < 2; count++) {
      open.push(createUpstashConnection({ url: rest.url, token: rest.token, deadlineMs: DEADLINE_MS }))
    }
  })
  afterAll(async () => {
    for (const connection of open) await connection.close()
    await rest.stop()
    await server.stop()
  })

  const sender = (at: number): Transport => {
    const connection = open[at]
    if (connection === undefined) throw new Error('There is no such connection.')
    return connection.send
  }
  /** Loses requests and answers before they meet the driver. */
  const overTcp =
    (at: number): Carrier =>
    async (commands, how) => {
      const replies = how === 'unsent' ? [] : await sender(at)(commands)
      if (how !== 'pass') throw unreachable('on purpose')
      return replies
    }
  /** Lets the driver lose them. */
  const overRest =
    (at: number): Carrier =>
    (commands, how) => {
      const faults: Record<typeof how, Fault> = { pass: 'pass', lost: 'reset-after', unsent: 'reset-before' }
      rest.faults.onRequest = () => faults[how]
      return sender(at)(commands)
    }

  const tcp = (more: Partial<TwoDesksOptions> = {}): TwoDesksOptions => ({
    carriers: [overTcp(0), overTcp(1)],
    direct: sender(2),
    ...more,
  })
  const tally: Tally = { steps: 0, coincidences: 0, outcomes: {} }
  const converge = (options: TwoDesksOptions, troubles: readonly Trouble[], numRuns: number, endOnFailure = false) =>
    fc.assert(
      fc.asyncProperty(stepsWith(troubles), async (steps) => {
        try {
          const desks = await createTwoDesks(options, tally)
          for (const step of steps) await desks.run(step)
          await desks.finish()
        } catch (error) {
          if (!(error instanceof Coincidence)) throw error
          tally.coincidences += 1
        }
      }),
      { numRuns, endOnFailure },
    )

  it('agree with each other and with the store after any moves and any trouble on the way', async () => {
    await converge(tcp(), ANY_TROUBLE, 300)

    expect(tally.coincidences).toBeLessThan(10)
    expect(Object.keys(tally.outcomes).toSorted()).toEqual(OUTCOMES)
  }, 60_000)

  it('agree over REST too', async () => {
    const carriers = [overRest(3), overRest(4)] as const
    const options = { carriers, direct: sender(2) }

    await expect(converge(options, ['twice', 'lost', 'unsent', 'late'], 20)).resolves.toBeUndefined()
  }, 60_000)

  it.each([
    ['takes every APPEND for undisturbed', { bend: assumingNobodyWrote }],
    ['answers an APPEND that it never sent', { bend: pretendingToAppend }],
    ['deletes a leftover without looking', { bend: unlinkingLeftovers }],
    ['overlooks the last entry', { fold: (text) => naiveFold(text?.split('\x1e').slice(0, -1).join('\x1e') || text) }],
  ] satisfies [string, Partial<TwoDesksOptions>][])('do not agree when one %s', async (_, broken) => {
    await expect(converge(tcp(broken), ANY_TROUBLE, 100, true)).rejects.toThrow(/^Property failed/)
  })
})

const ANY_TROUBLE = ['twice', 'lost', 'unsent', 'late', 'swept', 'reborn'] as const

/** What each of the steps can come to; all of it happens. */
const OUTCOMES =
  'absent appended done forbidden gone known loaded moved nothing overtaken read received too-late unanswered'.split(
    ' ',
  )

type Bend = (send: Transport) => Transport

const assumingNobodyWrote: Bend = (send) => {
  const lengths = new Map<string, number>()
  return async (commands) => {
    const [name, key = '', text = ''] = commands[0] ?? ['']
    const [reply = null] = await send(commands)
    const bytes = Buffer.byteLength(String(name === 'GET' ? reply : text))
    const known = name === 'APPEND' ? (lengths.get(String(key)) ?? Number(reply) - bytes) + bytes : bytes
    lengths.set(String(key), known)
    return [name === 'APPEND' ? known : reply]
  }
}

const pretendingToAppend: Bend = (send) => {
  let calls = 0
  return async (commands) => (commands[0]?.[0] === 'APPEND' && ++calls % 5 === 0 ? [1] : send(commands))
}

const unlinkingLeftovers: Bend = (send) => (commands) => {
  const [name, , , key = ''] = commands[0] ?? ['']
  return send(name === 'EVAL' ? [['UNLINK', key]] : commands)
}
