import type { EventLevel, EventName } from '../../src/events.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { type Command, listOf, type Transport } from '../../src/redis/transport.ts'
import { createOrderPruner } from '../../src/sweeps/order-pruner.ts'
import { createSweepRunner } from '../../src/sweeps/runner.ts'
import type { Sweep, SweepRequest } from '../../src/sweeps/sweep.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'
import { fakeClock } from './clock.ts'
import { watched } from './transport.ts'

export interface SweepRigOptions {
  readonly now?: string
  readonly zone?: string
  /** In place of an embedded store. */
  readonly send?: Transport
}

/** A store, a watched transport in front of it, and the runner. */
export function createSweepRig({
  now = '2025-12-08T21:00:00+01:00',
  zone = 'Europe/Berlin',
  send,
}: SweepRigOptions = {}) {
  const clock = fakeClock(now)
  const store = send ?? createMemoryConnection({ clock }).send
  const transport = watched(store)
  const meter = createMeter(transport.send)
  const events: { level: EventLevel; name: EventName; detail: object }[] = []
  const defects: unknown[] = []
  const runner = createSweepRunner({
    meter,
    clock,
    zone,
    emit: (level, name, detail) =>
      void events.push({ level, name, detail: typeof detail === 'function' ? detail() : detail }),
    onDefect: (error) => void defects.push(error),
  })
  const forgotten: string[] = []
  const pruner = createOrderPruner({
    clock,
    zone,
    defaultDays: 2,
    onDeleted: (ids) => void forgotten.push(...ids),
    emit: (level, name, detail) =>
      void events.push({ level, name, detail: typeof detail === 'function' ? detail() : detail }),
  })
  const pruneOrders = runner(pruner)
  return {
    clock,
    transport,
    meter,
    events,
    defects,
    /** Ids of which the pruner said that they were deleted. */
    forgotten,
    /** Straight to the store, past meter and watch. */
    store: (...commands: Command[]) => store(commands),
    prune: (request: Partial<SweepRequest> = {}) => pruneOrders({ trigger: 'cli', dryRun: false, ...request }),
    run: (sweep: Partial<Sweep>, request: Partial<SweepRequest> = {}) =>
      runner({
        name: 'made-up',
        defaultDays: 1,
        cutoffs: () => ({ cutoffMs: 0, extendedCutoffMs: 0 }),
        run: async () => {},
        ...sweep,
      })({ trigger: 'cli', dryRun: false, ...request }),
    keys: async () => (await allKeys(store)).toSorted(),
    history: async (name = 'orders') => historyOf(store, name),
  }
}

/** All keys of a store, whatever their number. */
export async function allKeys(send: Transport): Promise<string[]> {
  const keys = new Set<string>()
  let cursor = '0'
  do {
    const [reply = null] = await send([['SCAN', cursor, 'COUNT', 1_000]])
    const [next = null, page = null] = listOf(reply)
    for (const key of listOf(page)) keys.add(String(key))
    cursor = String(next)
  } while (cursor !== '0')
  return [...keys]
}

/** The stored reports of a sweep, the oldest first. */
export async function historyOf(send: Transport, name: string): Promise<SweepReport[]> {
  const [reply = null] = await send([['XRANGE', `orderly:sweeps:${name}`, '-', '+']])
  return listOf(reply).map((item) => {
    const [, fields = null] = listOf(item)
    return JSON.parse(String(listOf(fields)[1]))
  })
}
