import { createHash } from 'node:crypto'
import { isoInstant } from '../src/calendar.ts'
import { ask, integerOf, textOf } from '../src/redis/transport.ts'
import { ZONE, type ChangeWay } from './job.ts'
import { orderAt, orderIdAt } from './orders.ts'
import { openApp, type Prepare } from './prune-ways.ts'

/** Orderly's way: the desk moves an order that it holds in memory, by one APPEND. */
const append =
  (changes: number): Prepare =>
  async (connection, { asOfMs }) => {
    const { desk, meter, orders } = await openApp(connection)
    await orders.load()
    const ids = Array.from({ length: changes }, (_, number) => orderIdAt('fresh', number, asOfMs))
    const before = meter.cost()
    return async () => {
      let done = 0
      for (const id of ids) {
        const moved = await desk.move(id, { to: 'confirmed', after: null, by: 5_000_000_001 })
        if (moved.outcome === 'moved') done += 1
      }
      const { billed, commands, requests } = meter.cost()
      const own = { billed: billed - before.billed, requests: requests - before.requests, outcome: 'done' }
      return { done, own: { ...own, commands: difference(commands, before.commands) } }
    }
  }

type Counts = Readonly<Record<string, number>>

const difference = (after: Counts, before: Counts): Counts =>
  Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]))

/**
 * Replaces a value if it is still the one that was read. KEYS[1] order, ARGV[1] sha1 of the old value (so that the old one
 * need not be sent as well), ARGV[2] the new value; returns 1 if replaced.
 */
const COMPARE_AND_SET = `if redis.sha1hex(redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') return 1`

/** A script loaded once and an order held in memory, as kindly as this way can be done. */
const compareAndSet =
  (changes: number): Prepare =>
  async ({ send }, { asOfMs }) => {
    const script = textOf(await ask(send, ['SCRIPT', 'LOAD', COMPARE_AND_SET]))
    const held = Array.from({ length: changes }, (_, number) => orderAt('fresh', number, asOfMs))
    return async () => {
      let done = 0
      for (const { key, value } of held) {
        const old = createHash('sha1').update(value).digest('hex')
        done += integerOf(await ask(send, ['EVALSHA', script, 1, key, old, changed(value, asOfMs)]))
      }
      return { done, own: null }
    }
  }

/** Two requests, and whatever somebody else wrote in between is lost. */
const getAndSet =
  (changes: number): Prepare =>
  async ({ send }, { asOfMs }) => {
    const keys = Array.from({ length: changes }, (_, number) => orderAt('fresh', number, asOfMs).key)
    return async () => {
      let done = 0
      for (const key of keys) {
        const value = textOf(await ask(send, ['GET', key]))
        const reply = await ask(send, ['SET', key, changed(value, asOfMs), 'KEEPTTL'])
        if (reply === 'OK') done += 1
      }
      return { done, own: null }
    }
  }

/** The whole order as it is stored where a change rewrites it. */
function changed(text: string, atMs: number): string {
  const order: unknown = JSON.parse(text)
  if (typeof order !== 'object' || order === null) return text
  const move = { move: 'confirmed', at: isoInstant(atMs, ZONE), by: 5_000_000_001 }
  return JSON.stringify({ ...order, status: 'confirmed', status_history: [move] })
}

/** Every way to change orders, each of the first `changes` orders once. */
export const prepareChange: Readonly<Record<ChangeWay, (changes: number) => Prepare>> = {
  append,
  'compare-and-set': compareAndSet,
  'get-and-set': getAndSet,
}
