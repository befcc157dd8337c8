import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { createDesk } from '../../src/orders/desk.ts'
import type { OrderId } from '../../src/orders/order.ts'
import { createOrderStore } from '../../src/orders/store.ts'
import { orderKey } from '../../src/redis/keys.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Connection } from '../../src/redis/transport.ts'
import type { HammerResult, HammerTask } from '../support/hammer-process.ts'
import { naiveFold } from '../support/naive-fold.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'

const SECONDS = Number(process.env['HAMMER_SECONDS'] ?? 20)
const ORDERS = 50

const run = promisify(execFile)

async function hammer(task: HammerTask): Promise<HammerResult> {
  const file = join(import.meta.dirname, '../support/hammer-process.ts')
  const { stdout } = await run(process.execPath, ['--import', 'tsx', file, JSON.stringify(task)], {
    maxBuffer: 2 ** 28,
    timeout: (SECONDS + 30) * 1_000,
    killSignal: 'SIGKILL',
  })
  return JSON.parse(stdout)
}

describeWithRedis('two processes that move the same orders', () => {
  let server: RedisServer
  let connection: Connection
  beforeAll(async () => {
    server = await startRedisServer()
    connection = createTcpConnection({ url: server.url, deadlineMs: 10_000 })
  })
  afterAll(async () => {
    await connection.close()
    await server.stop()
  })

  const receiveOrders = async (): Promise<readonly OrderId[]> => {
    const zone = 'Europe/Berlin'
    const store = createOrderStore({ send: connection.send, clock: systemClock, zone, earliestMs: () => 0 })
    const desk = createDesk({ store, clock: systemClock, zone, cutoffMs: () => 0, ttlDays: 7 })
    const received = Array.from({ length: ORDERS }, (_, number) =>
      desk.receive({
        source: 'till',
        source_id: String(number),
        created_at: new Date(systemClock()).toISOString(),
        customer: { name: 'Änne' },
        items: [{ vendor: 'Goa', quantity: 1, name: 'Dal' }],
        total: { amount: '9.90', currency: 'EUR' },
      }),
    )
    return (await Promise.all(received)).map(({ order }) => order.id)
  }

  it(
    'lose no move that was answered as moved, double none, and apply none that was not',
    async () => {
      const orders = await receiveOrders()

      const results = await Promise.all(
        ['a', 'b'].map((by) => hammer({ url: server.url, seconds: SECONDS, orders, by })),
      )

      const applied: string[] = []
      for (const id of orders) {
        const [text, ttl] = await connection.send([
          ['GET', orderKey(id)],
          ['TTL', orderKey(id)],
        ])
        expect(ttl, 'the expiry').toBeGreaterThan(6 * 86_400)
        const changes = naiveFold(String(text))?.history.filter((line) => !line.includes(' void ')) ?? []
        applied.push(...changes.map((line) => `${id} ${line.split(' ')[0]}`))
      }
      const won = results.flatMap((result) => result.won.map(([id, entryId]) => `${id} ${entryId}`))
      expect(new Set(applied).size).toBe(applied.length)
      expect(won.toSorted()).toEqual(applied.toSorted())
      expect(won.length).toBeGreaterThan(100)

      const total = (key: 'attempts' | 'commands' | 'twice') => results.reduce((sum, result) => sum + result[key], 0)
      const [attempts, commands] = [total('attempts'), total('commands')]
      const stored = await server.stats()
      expect(stored['APPEND']).toBeLessThanOrEqual(attempts + total('twice'))
      expect(commands / attempts).toBeLessThanOrEqual(2)
      console.log({
        seconds: SECONDS,
        attempts,
        moved: won.length,
        refused: attempts - won.length,
        sentTwice: total('twice'),
        commandsPerAttempt: Number((commands / attempts).toFixed(3)),
        outcomes: results.map(({ outcomes }) => outcomes),
      })
    },
    (SECONDS + 60) * 1_000,
  )
})
