import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { describeWithRedis, startRedisServer } from '../support/redis-server.ts'
import { openResp, textReply } from '../support/resp.ts'
import { anOrderOfNow, atTheEnd, handIn, intakeEnv, startService, waitFor } from '../support/service-process.ts'

const ROUNDS = 20
const CLIENTS = 4

describeWithRedis('a service that is killed again and again on a day of intakes', () => {
  it('loses no order that was answered, and doubles none that is handed in again', { timeout: 60_000 }, async () => {
    const redis = await startRedisServer()
    atTheEnd(redis.stop)
    const env = { ...intakeEnv, REDIS_URL: redis.url }
    const answered = new Map<string, string>()
    const unanswered: ReturnType<typeof anOrderOfNow>[] = []
    let again = 0

    let next = startService(env)
    for (let round = 1; round <= ROUNDS; round++) {
      const service = next
      await service.url
      if (round < ROUNDS) next = startService(env)
      const till = async () => {
        for (;;) {
          const repeated = unanswered.pop()
          const order = repeated ?? anOrderOfNow()
          const answer = await handIn(service, order).catch(() => undefined)
          if (answer === undefined) return void unanswered.push(order)
          expect([200, 201]).toContain(answer.status)
          if (answer.status === 200) again += 1
          answered.set(order.source_id, String(answer.body['id']))
        }
      }
      const tills = Promise.all(Array.from({ length: CLIENTS }, till))
      const before = answered.size
      await waitFor(() => answered.size > before)
      await pause(Math.random() * 150)
      await service.stop('SIGKILL')
      await tills
    }

    const last = startService(env)
    for (const order of unanswered) {
      const { body } = await handIn(last, order)
      answered.set(order.source_id, String(body['id']))
    }
    const connection = await openResp(redis.url)
    atTheEnd(connection.close)
    const [reply = null] = await connection.call([['KEYS', 'order:*']])
    const keys = textReply(reply) as readonly string[]
    console.log(`${ROUNDS} kills among ${answered.size} orders, ${again} of them stored before their answer was lost`)
    expect(keys.toSorted()).toEqual([...answered.values()].map((id) => `order:${id}`).toSorted())
    expect(answered.size).toBeGreaterThanOrEqual(ROUNDS)
    expect((await last.stop()).code).toBe(0)
  })
})
