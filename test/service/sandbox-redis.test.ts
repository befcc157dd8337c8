import { expect, it } from 'vitest'
import { createOrderId } from '../../src/orders/order.ts'
import { cleanUp, openChatPage, orderCard } from '../support/chat-page.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { atTheEnd, startService, waitFor } from '../support/service-process.ts'
import { startRedisServerToAsk } from '../support/service-redis.ts'

const DAY_MS = 86_400_000

async function aRedis() {
  const { url, ask } = await startRedisServerToAsk()
  const orders = async () => ((await ask('KEYS', 'order:*')) as readonly string[]).toSorted()
  /** Puts an order in as the bot would have stored it; resolves with its key. */
  const store = async (name: string, status: string, ageMs: number) => {
    const createdAtMs = Date.now() - ageMs
    const key = `order:${createOrderId({ source: 'test', sourceId: name, createdAtMs }, createdAtMs)}`
    await ask('SET', key, JSON.stringify({ name, status, created_at: new Date(createdAtMs).toISOString() }))
    return key
  }
  return { url, ask, orders, store }
}

/** A sandbox on this Redis whose page is open. */
async function aSandbox(url: string, args: readonly string[] = []) {
  const service = startService({ REDIS_URL: url }, { args })
  const page = await openChatPage(await service.url)
  atTheEnd(page.close)
  return { service, page }
}

describeWithRedis('a sandbox on a Redis', () => {
  it('puts nothing in, shows the open orders that are there, and sweeps the old ones', async () => {
    const redis = await aRedis()
    const open = await redis.store('Huber 7', 'new', 60_000)
    for (const name of ['one', 'two', 'three']) await redis.store(name, 'delivered', 30 * DAY_MS)
    const { service, page } = await aSandbox(redis.url)

    await orderCard(page, 'Huber 7')
    expect(page.facts.store).toEqual({ kind: 'tcp', seeded: 0 })
    expect(service.log()[0]?.['msg']).toContain('Orders are in the configured Redis')
    expect(await cleanUp(page)).toContain('Deleted: 3 orders')
    expect(await redis.orders()).toEqual([open])
  })

  it('starts over without erasing anything, and shows its cards again in a group of its own', async () => {
    const redis = await aRedis()
    const open = await redis.store('Huber 7', 'new', 60_000)
    const { service, page } = await aSandbox(redis.url)
    await orderCard(page, 'Huber 7')
    await page.act('order', {})
    await orderCard(page, 'New order 1')
    const before = await redis.orders()

    await page.act('restart', {})
    await waitFor(() => page.isOver)
    const url = await service.url
    const next = await waitFor(() => openChatPage(url).catch(() => undefined), 3_000)
    atTheEnd(next.close)
    await orderCard(next, 'Huber 7')
    await orderCard(next, 'New order 1')

    expect(next.chatId('Dispatch')).not.toBe(page.chatId('Dispatch'))
    expect([await redis.orders(), before.length, before.includes(open)]).toEqual([before, 2, true])
  })

  it('is no second copy for another one that looks on: each shows the orders in its own group', async () => {
    const redis = await aRedis()
    await redis.store('Huber 7', 'new', 60_000)

    const one = await aSandbox(redis.url)
    const first = await orderCard(one.page, 'Huber 7')
    const other = await aSandbox(redis.url)
    const second = await orderCard(other.page, 'Huber 7')

    expect(second.chatId).not.toBe(first.chatId)
  })

  it('puts its story in when it is asked to, once a day and without expiry', async () => {
    const redis = await aRedis()
    const { service, page } = await aSandbox(redis.url, ['--seed'])
    await waitFor(() => page.facts.store.seeded === 225)
    const seeded = await redis.orders()
    const expiries = await Promise.all(seeded.map((key) => redis.ask('TTL', key)))
    expect([seeded.length, new Set(expiries)]).toEqual([225, new Set([-1])])
    expect((await service.stop()).code).toBe(0)

    const again = await aSandbox(redis.url, ['--seed'])
    await waitFor(() => again.page.facts.store.seeded === 225)
    expect(await redis.orders()).toEqual(seeded)
    expect(await cleanUp(again.page)).toContain('Deleted: 143 orders')
    expect(await redis.orders()).toHaveLength(225 - 143)
  })
})
