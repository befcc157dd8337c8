import type { Logger } from 'pino'
import type { App } from './app.ts'
import type { CronConfig, ServiceConfig } from './config.ts'
import { createEngine, type Engine } from './engine/engine.ts'
import type { Emit } from './events.ts'
import type { Part } from './lifecycle.ts'
import { timetablesOf } from './schedule/timetables.ts'
import { createDueSweep } from './service-due-sweep.ts'
import { sweepNames, type Sweeps } from './sweeps/registry.ts'
import type { SweepReport } from './sweeps/report.ts'

export interface ServiceEngineOptions {
  readonly app: App
  readonly config: ServiceConfig
  /** As the service runs them: what comes of a run is remembered. */
  readonly sweeps: Sweeps
  readonly log: Logger
  readonly emit: Emit
  readonly onDefect: (error: unknown) => void
  /** Tells people what came of a run. */
  readonly announce: (report: SweepReport) => void
}

/** The sweeps as functions of an Inngest, for a service to serve. */
export interface ServiceEngine {
  readonly routes: Pick<Engine, 'plugin' | 'options' | 'isSigned'>
  readonly part: Part
}

/**
 * Undefined where none is configured; then the package is not loaded.
 *
 * @throws ConfigError when the package `inngest` is not installed.
 */
export async function createServiceEngine(options: ServiceEngineOptions): Promise<ServiceEngine | undefined> {
  const { app, config, sweeps, log, announce } = options
  if (config.engine === undefined) return undefined
  const woken = config.scheduler === 'inngest' ? wokenByEngine(options) : []
  const engine = await createEngine({
    config: config.engine,
    audit: config.audit,
    sweeps,
    organizations: app.organizations,
    schedules: woken.map(({ name, cron, due }) => ({ name, cron, runDue: due.runDue })),
    origin: config.telegram.publicUrl,
    log,
    clock: app.clock,
    announce,
  })
  const learn = async () => {
    for (const { due } of woken) await due.start().catch(options.onDefect)
  }
  return { routes: engine, part: { name: 'engine', start: async () => void learn(), stop: engine.stop } }
}

/** All but those over the audit database, which have functions of their own. */
function wokenByEngine({ app, sweeps, emit, onDefect, announce }: ServiceEngineOptions) {
  const { config } = app
  const timetables = timetablesOf(config)
  const common = { app, emit, onDefect, announce }
  return sweepNames.flatMap((name) => {
    const [timetable, sweep] = [timetables[name], sweeps[name]]
    if (timetable === undefined || sweep === undefined || name === 'alerts' || name === 'errors') return []
    // The alarm of a cron text rings each minute, because a local clock must not miss a time that is skipped.
    const alarm: CronConfig = { pattern: timetable.alarm, zone: timetable.zone }
    const cron = name === 'orders' ? alarm : (config[name]?.schedule ?? alarm)
    return [{ name, cron, due: createDueSweep({ ...common, name, timetable, sweep }) }]
  })
}
