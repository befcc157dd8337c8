import { randomBytes } from 'node:crypto'
import { systemClock } from '../../src/clock.ts'
import { createDesk } from '../../src/orders/desk.ts'
import type { OrderId } from '../../src/orders/order.ts'
import { nextStatuses } from '../../src/orders/status.ts'
import { createOrderStore } from '../../src/orders/store.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Transport } from '../../src/redis/transport.ts'

/** What a hammering process is told. */
export interface HammerTask {
  readonly url: string
  readonly seconds: number
  readonly orders: readonly OrderId[]
  /** Who moves: no two processes share one. */
  readonly by: string
}

/** What it has done. */
export interface HammerResult {
  /** Moves and undos that were answered as moved: order and entry id. */
  readonly won: readonly (readonly [order: OrderId, entryId: string])[]
  readonly attempts: number
  readonly outcomes: Readonly<Record<string, number>>
  /** Billed, as the meter has it; a second copy of an APPEND is not in it. */
  readonly commands: number
  readonly twice: number
}

/** Moves and undos that are under way at the same time in one process. */
const WORKERS = 6

/** Share of the APPENDs that are sent a second time. */
const TWICE = 0.03

// Run as a process of its own: moves the orders it is told for some seconds, then prints a HammerResult.
if (process.argv[2] !== undefined) console.log(JSON.stringify(await hammer(JSON.parse(process.argv[2]))))

async function hammer({ url, seconds, orders, by }: HammerTask): Promise<HammerResult> {
  const connection = createTcpConnection({ url, deadlineMs: 10_000 })
  let twice = 0
  const send: Transport = async (commands) => {
    const replies = await connection.send(commands)
    if (commands[0]?.[0] !== 'APPEND' || Math.random() >= TWICE) return replies
    twice += 1
    const again = await connection.send(commands)
    return Math.random() < 0.5 ? replies : again
  }
  const account = createMeter(send).open('orders')
  const store = createOrderStore({ send: account.send, clock: systemClock, zone: 'Europe/Berlin', earliestMs: () => 0 })
  let entryId = ''
  const newEntryId = () => (entryId = randomBytes(5).toString('hex'))
  const desk = createDesk({
    store,
    clock: systemClock,
    zone: 'Europe/Berlin',
    cutoffMs: () => 0,
    ttlDays: 7,
    newEntryId,
  })

  const won: [OrderId, string][] = []
  const outcomes: Record<string, number> = {}
  let attempts = 0
  const untilMs = systemClock() + seconds * 1_000
  const work = async (worker: string) => {
    while (systemClock() < untilMs) {
      const id = oneOf(orders)
      const order = await store.read(id)
      if (order === undefined) throw new Error('An order has gone.')
      const { lastMove: after, undoable: undo } = order
      const next = nextStatuses(order.status).filter((status) => status !== 'removed' && status !== 'cancelled')
      const moved =
        undo !== null && (next.length === 0 || Math.random() < 0.3)
          ? desk.undo(id, { undo, after, by: worker })
          : desk.move(id, { to: oneOf(next), after, by: worker })
      // The desk makes the id before it waits for anything.
      const mine = entryId
      attempts += 1
      const { outcome } = await moved
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      if (outcome === 'moved') won.push([id, mine])
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, (_, at) => work(`${by}${at}`)))
  await connection.close()
  return { won, attempts, outcomes, commands: account.cost().billed, twice }
}

function oneOf<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)]
  if (item === undefined) throw new Error('There is nothing to choose from.')
  return item
}
