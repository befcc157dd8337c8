import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { decodeBoot } from '../../../src/redis/budget/boot-field.ts'
import { billedOf } from '../../../src/redis/budget/counts.ts'
import { budgetMonthAt } from '../../../src/redis/budget/month.ts'
import { createUsage } from '../../../src/redis/budget/usage.ts'
import { usageKey } from '../../../src/redis/keys.ts'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import type { Connection } from '../../../src/redis/transport.ts'
import { billedIn, sumOf } from '../../support/billing.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../../support/redis-server.ts'
import { openResp, textReply } from '../../support/resp.ts'
import { type Keep, MONTHS, type MonthsOptions, RULE, simulateMonths } from '../../support/usage-months.ts'

const ownFields: Keep = (send, options) => createUsage({ send, ...options, ...RULE })

/** One counter for all, to which each boot adds what it has counted since the last write that was answered. */
const oneCounter: Keep = (send, { clock }) => {
  let counted = 0
  const write = async () => {
    const added = counted + 1
    await send([['HINCRBY', usageKey(budgetMonthAt(clock(), RULE).name), 'total', added]])
    counted -= added
  }
  const charge = () => {
    counted += 1
  }
  return { charge, load: async () => {}, write }
}

/** What a field tells, a boot's own or the one counter. */
function totalIn(field: unknown): number {
  const boot = decodeBoot(String(field))
  if (boot === undefined) return Number(field)
  return Object.values(boot.days).reduce((sum, day) => sum + billedOf(day), 0)
}

describeWithRedis('two instances over a month with 20 restarts each and lost answers', () => {
  let server: RedisServer
  let connections: readonly Connection[] = []
  beforeAll(async () => {
    server = await startRedisServer()
    connections = [1, 2].map(() => createTcpConnection({ url: server.url, deadlineMs: 60_000 }))
  })
  beforeEach(() => server.restart())
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()))
    await server.stop()
  })

  const run = (keep: Keep, options: Pick<MonthsOptions, 'until'> = {}) =>
    simulateMonths({
      connections: connections.map(({ send }) => send),
      ...options,
      keep,
      counted: async () => sumOf(billedIn(await server.stats())),
    })
  /** The sum of a month's fields but for what days before it cost, past everything that is tested. */
  const storedIn = async (month: string) => {
    const direct = await openResp(server.url)
    const [reply = null] = await direct.call([['HVALS', usageKey(month)]])
    direct.close()
    return [textReply(reply)]
      .flat()
      .filter((field) => !String(field).startsWith('['))
      .reduce((sum: number, field) => sum + totalIn(field), 0)
  }

  it('have stored what the server counted, for at most 100 commands a day', { timeout: 120_000 }, async () => {
    const { served, explained, mostUsageADay } = await run(ownFields)

    for (const month of MONTHS) {
      expect([month, await storedIn(month)]).toEqual([month, served.of(month) + explained.of(month)])
    }
    const difference = Math.abs((await storedIn('2026-03')) - served.of('2026-03'))
    expect(served.of('2026-03')).toBeGreaterThan(20_000)
    expect(difference).toBeLessThanOrEqual(served.of('2026-03') / 100)
    expect(mostUsageADay).toBeLessThanOrEqual(100)
  })

  it('would have stored more in one counter for all', { timeout: 120_000 }, async () => {
    const { served, explained } = await run(oneCounter, { until: '2026-03-08T00:00:00+01:00' })

    const stored = await Promise.all(MONTHS.map(storedIn))
    const total = stored.reduce((sum, count) => sum + count, 0)
    const right = MONTHS.reduce((sum, month) => sum + served.of(month) + explained.of(month), 0)

    expect(total).toBeGreaterThan(right * 1.01)
  })
})
