import { createDesk } from '../../src/orders/desk.ts'
import { orderIdOf } from '../../src/orders/order.ts'
import { createOrderStore } from '../../src/orders/store.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter } from '../../src/redis/meter.ts'
import type { Command } from '../../src/redis/transport.ts'
import { calendarCutoffs } from '../../src/sweeps/retention.ts'
import { fakeClock } from './clock.ts'
import { watched } from './transport.ts'

/** The mark of an order's life, the same for all orders of a rig. */
export const LIFE = 'life-of-a-test'

export const zone = 'Europe/Berlin'

/** One embedded Redis on 8 December 2025, 20:00, that several instances may share. */
export function createOrderRig() {
  const clock = fakeClock('2025-12-08T20:00:00+01:00')
  const connection = createMemoryConnection({ clock })
  const cutoffs = () => calendarCutoffs({ days: 2, zone }, clock())

  /** A store with a desk on it, as one process has them; `cost` counts what this one was billed since `free()`. */
  const instance = ({ capacity = 20_000, ttlDays = 7 } = {}) => {
    const transport = watched(connection.send)
    const meter = createMeter(transport.send)
    const store = createOrderStore({
      newLife: () => LIFE,
      send: meter.open('orders').send,
      clock,
      zone,
      earliestMs: () => cutoffs().extendedCutoffMs,
      capacity,
    })
    let entries = 0
    const desk = createDesk({
      store,
      clock,
      zone,
      cutoffMs: () => cutoffs().cutoffMs,
      ttlDays,
      newEntryId: () => `${name}${++entries}`,
    })
    const name = `${++instances}-`
    let billed = 0
    return {
      store,
      desk,
      transport,
      free: () => {
        billed = meter.cost().billed
      },
      cost: () => meter.cost().billed - billed,
      /** What `action` comes to, and what it was billed. */
      billed: async <Result>(action: () => Promise<Result>): Promise<readonly [Result, number]> => {
        const before = meter.cost().billed
        const result = await action()
        return [result, meter.cost().billed - before]
      },
    }
  }
  let instances = 0

  return {
    clock,
    instance,
    /** Straight to Redis, past every meter. */
    redis: (...commands: Command[]) => connection.send(commands),
    textOf: async (id: string) => (await connection.send([['GET', `order:${id}`]]))[0],
  }
}

/** An id as the store takes it. */
export const anId = (text: string) => orderIdOf(`order:${text}`)
