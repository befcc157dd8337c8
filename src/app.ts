import type { Logger } from 'pino'
import { openForeignStores, type Store } from './app-stores.ts'
import { eachMinute, systemClock, type Clock } from './clock.ts'
import type { Config } from './config.ts'
import { createEmit } from './log.ts'
import { createDesk, type Desk } from './orders/desk.ts'
import { createOrderStore, type OrderStore } from './orders/store.ts'
import { createBudget, type Budget } from './redis/budget/budget.ts'
import { watchLimit } from './redis/budget/limit-watch.ts'
import { connect } from './redis/connect.ts'
import { createMeter, type Meter } from './redis/meter.ts'
import type { Connection } from './redis/transport.ts'
import { createAlertsSweep } from './sweeps/audit/alerts-sweep.ts'
import { createErrorLogSweep } from './sweeps/audit/error-log-sweep.ts'
import { listOrganizations } from './sweeps/audit/organizations.ts'
import { createBullmqSweep } from './sweeps/bullmq/bullmq-sweep.ts'
import { createExecutionsSweep } from './sweeps/executions/executions-sweep.ts'
import { createInngestSweep } from './sweeps/inngest/inngest-sweep.ts'
import { createOrderPruner } from './sweeps/order-pruner.ts'
import type { Sweeps } from './sweeps/registry.ts'
import { calendarCutoffs } from './sweeps/retention.ts'
import { createSweepRunner } from './sweeps/runner.ts'
import type { RunSweep } from './sweeps/sweep.ts'

/** What an app is made of that a test, the CLI or a rehearsal may hand in instead. */
export interface Parts {
  readonly clock: Clock
  readonly connection: Connection
  /** Put around the connection to every other Redis. */
  readonly wrap: (connection: Connection) => Connection
  /** Told when the provider begins to refuse commands, because the month's limit is reached. */
  readonly onLimit: () => void
}

/** The whole of Orderly, put together. */
export interface App {
  readonly config: Config
  readonly clock: Clock
  /** Which kind of Redis is in use. */
  readonly kind: Connection['kind']
  readonly meter: Meter
  readonly budget: Budget
  readonly orders: OrderStore
  readonly desk: Desk
  readonly sweeps: Sweeps
  /** Every configured Redis, Orderly's own first. */
  readonly stores: readonly [Store, ...Store[]]
  /** The organizations of the audit database, page by page; undefined where none is configured. */
  readonly organizations: (() => ReturnType<typeof listOrganizations>) | undefined
  close(): Promise<void>
}

/** Puts the app together. Connects to nothing and costs no Redis command until something is asked of it. */
export async function createApp(config: Config, log: Logger, given: Partial<Parts> = {}): Promise<App> {
  const { zone, retentionDays: days, audit, inngest, bullmq, executions } = config
  const clock = given.clock ?? systemClock
  const emit = createEmit(log)
  const onDefect = (error: unknown) => log.error({ err: error }, 'defect')
  const connection = given.connection ?? (await connect(config.redis, { clock }))
  const limit = watchLimit(connection.send, () => given.onLimit?.())
  const meter: Meter = createMeter(limit.send, { onBilled: (purpose, name) => budget.charge(purpose, name) })
  const { kind } = connection
  const budget = createBudget({ send: meter.open('usage').send, kind, limit, config: config.budget, clock, zone })
  const cutoffs = eachMinute(clock, (nowMs) => calendarCutoffs({ days, zone }, nowMs))
  const orders = createOrderStore({
    send: meter.open('orders').send,
    clock,
    zone,
    earliestMs: () => cutoffs().extendedCutoffMs,
    mayReload: () => !budget.isSaving(),
  })
  const desk = createDesk({
    store: orders,
    clock,
    zone,
    cutoffMs: () => cutoffs().cutoffMs,
    ttlDays: config.orderTtlDays,
    onReceived: budget.noteOrder,
  })
  const runner = createSweepRunner({ meter, clock, zone, emit, onDefect })
  const foreign = await openForeignStores(config, { clock, wrap: given.wrap ?? ((one) => one) })
  const sweeps: Sweeps = {
    orders: noting(
      budget,
      runner(createOrderPruner({ clock, zone, emit, defaultDays: days, onDeleted: orders.forget })),
    ),
    inngest: inngest && runner(createInngestSweep({ config: inngest, clock, meter: foreign.inngest?.meter })),
    alerts: audit && runner(createAlertsSweep({ config: audit, clock, emit })),
    errors: audit && runner(createErrorLogSweep({ config: audit, clock })),
    bullmq: bullmq && foreign.bullmq && runner(createBullmqSweep({ config: bullmq, clock, ...foreign.bullmq })),
    executions:
      executions &&
      foreign.executions &&
      runner(createExecutionsSweep({ config: executions, clock, ...foreign.executions })),
  }
  const organizations = audit && (() => listOrganizations(audit))
  const others = Object.values(foreign)
  const close = async () => {
    await Promise.all([connection.close(), ...others.map((one) => one.close())])
  }
  const stores: App['stores'] = [{ name: 'orders', kind, meter }, ...others]
  return { config, clock, kind, meter, budget, orders, desk, sweeps, stores, organizations, close }
}

/** A sweep whose reading counts as bandwidth of Orderly's own Redis. */
const noting =
  (budget: Budget, sweep: RunSweep): RunSweep =>
  async (request) => {
    const ran = await sweep(request)
    budget.noteSweepBytes(ran.report.valueBytes)
    return ran
  }
