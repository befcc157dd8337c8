import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock, type Clock } from '../../src/clock.ts'
import type { EngineConfig } from '../../src/config.ts'
import type { Organization } from '../../src/engine/alerts.ts'
import { createEngine, type Engine, type EngineOptions } from '../../src/engine/engine.ts'
import { createEmit, createLog } from '../../src/log.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter } from '../../src/redis/meter.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'
import { createSweepRunner } from '../../src/sweeps/runner.ts'
import type { Sweep, SweepJob } from '../../src/sweeps/sweep.ts'
import { startRig } from '../http/rig.ts'
import { auditConfig } from '../support/audit-rig.ts'
import { fakeClock } from '../support/clock.ts'
import { eventKey, signingKey, startStandIn } from './stand-in.ts'

const audit = auditConfig('postgresql://user:SECRET@127.0.0.1:1/audit')

/** What a sweep does in a test; it may throw. */
export type Work = (job: SweepJob) => Promise<void> | void

export interface EngineRigOptions extends Partial<EngineOptions> {
  readonly organizations?: EngineOptions['organizations']
  /** What the sweeps do; those without work are not configured, but for the orders'. */
  readonly work?: Readonly<Partial<Record<'orders' | 'inngest' | 'alerts' | 'errors' | 'bullmq', Work>>>
  /** Whole sweeps in place of such. */
  readonly made?: Readonly<Partial<Record<'alerts' | 'errors', (clock: Clock) => Sweep>>>
  readonly engineConfig?: Partial<EngineConfig>
}

/** The engine on sweeps with real runners and a store in memory, before an Inngest that is only a stand-in. */
export async function startEngineRig({ work = {}, made = {}, engineConfig, ...given }: EngineRigOptions = {}) {
  const standIn = await startStandIn()
  const clock = fakeClock('2026-03-10T05:00:01Z')
  const written: string[] = []
  const log = createLog({ level: 'trace', destination: { write: (line) => void written.push(line) } })
  const connection = createMemoryConnection({ clock })
  const announced: SweepReport[] = []
  const jobs: (SweepJob & { readonly sweep: string })[] = []
  const runner = createSweepRunner({
    meter: createMeter(connection.send),
    clock,
    zone: 'Europe/Berlin',
    emit: createEmit(log),
    onDefect: (error) => log.error({ err: error }, 'defect'),
  })
  const sweepOf = (name: keyof typeof work) =>
    runner(
      aSweep(name, async (job) => {
        jobs.push({ ...job, sweep: name })
        await work[name]?.(job)
      }),
    )
  const orders = sweepOf('orders')
  const options: EngineOptions = {
    config: { appId: 'orderly', eventKey, signingKey, isDev: false, baseUrl: standIn.url, ...engineConfig },
    audit,
    sweeps: {
      orders,
      inngest: work.inngest && sweepOf('inngest'),
      alerts: made.alerts ? runner(made.alerts(clock)) : work.alerts && sweepOf('alerts'),
      bullmq: work.bullmq && sweepOf('bullmq'),
      executions: undefined,
      errors: made.errors ? runner(made.errors(clock)) : work.errors && sweepOf('errors'),
    },
    organizations: listing([]),
    schedules: [],
    origin: 'https://orders.example',
    log,
    clock,
    announce: (report) => void announced.push(report),
    ...given,
  }
  const engine = await createEngine(options)
  /** One more instance, on the same sweeps. */
  const another = () => createEngine(options)
  return {
    engine,
    another,
    orders,
    standIn,
    clock,
    connection,
    announced,
    jobs,
    log: () => written.join(''),
    logger: log,
  }
}

export type EngineRig = Awaited<ReturnType<typeof startEngineRig>>

const aSweep = (name: string, run: Sweep['run']): Sweep => ({
  name,
  defaultDays: 90,
  leastDays: 1,
  cutoffs: (days, asOfMs) => ({ cutoffMs: asOfMs - days * 86_400_000, extendedCutoffMs: 0 }),
  run,
})

/** Organizations in pages of a hundred, each of which takes a moment. */
export const listing = (organizations: readonly Organization[]) =>
  async function* pages() {
    for (let from = 0; from < organizations.length; from += 100) {
      await sleep(0)
      yield organizations.slice(from, from + 100)
    }
  }

/** Serves the engine beside everything else the service serves. */
export async function serve({ engine, logger }: Pick<EngineRig, 'engine' | 'logger'>): Promise<string> {
  const { server } = await startRig({ engine, log: logger, clock: systemClock })
  return await server.listen('127.0.0.1', 0)
}

/** A function of the engine by its id. */
export function functionOf({ options }: Engine, id: string) {
  const found = options.functions.find((one) => 'id' in one && typeof one.id === 'function' && one.id() === id)
  if (found === undefined) throw new Error(`There is no function ${id}.`)
  return found
}
