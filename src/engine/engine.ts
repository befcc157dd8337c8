import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { AuditConfig, EngineConfig } from '../config.ts'
import type { Sweeps } from '../sweeps/registry.ts'
import type { SweepReport } from '../sweeps/report.ts'
import { alertFunctions, type ListOrganizations } from './alerts.ts'
import { errorFunctions } from './errors.ts'
import { createClient } from './client.ts'
import { createFailures } from './failures.ts'
import { loadInngest, type InngestPackage } from './load.ts'
import type { EngineFunction, FunctionParts } from './parts.ts'
import { createRuns } from './runs.ts'
import { requestedFunction } from './requested.ts'
import { scheduledFunction, type EngineSchedule } from './scheduled.ts'

export interface EngineOptions {
  readonly config: EngineConfig
  /** Undefined where no audit database is configured: then there are no functions for it. */
  readonly audit: AuditConfig | undefined
  readonly sweeps: Sweeps
  /** The organizations of the audit database; undefined without one. */
  readonly organizations: ListOrganizations | undefined
  /** The sweeps that the engine wakes; none where the local schedule does. */
  readonly schedules: readonly EngineSchedule[]
  /** Where the engine reaches this service, such as `https://orders.example`; undefined for what its requests say. */
  readonly origin: string | undefined
  readonly log: Logger
  readonly clock: Clock
  /** Tells people what came of a run that failed for good. */
  readonly announce: (report: SweepReport) => void
  /** Milliseconds that one step waits for its run: see `RunsOptions`. @default 40_000 */
  readonly waitMs?: number
  /** Where the package comes from. @default node_modules */
  readonly load?: () => Promise<InngestPackage>
}

/** The sweeps as functions that an Inngest calls. */
export interface Engine {
  /** What serves the functions, for Fastify to register with these options. */
  readonly plugin: InngestPackage['plugin']
  readonly options: Parameters<InngestPackage['plugin']>[1]
  readonly functionIds: readonly string[]
  /** Whether each request must be signed: not in development. */
  readonly isSigned: boolean
  /** Ends runs under way at their next look; the engine repeats them elsewhere. */
  stop(): Promise<void>
}

/** The path that the functions are served at. */
const SERVE_PATH = '/api/inngest'

const WAIT_MS = 40_000

/**
 * Makes the functions. Calls nobody by itself and costs nothing before the engine calls.
 *
 * @throws ConfigError when the package `inngest` is not installed.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { config, log, origin } = options
  const { inngest, plugin } = await loadInngest(options.load)
  const failures = createFailures(inngest, log)
  const client = createClient(inngest, { config, log, failures })
  const stopping = new AbortController()
  const { sweeps, clock, announce } = options
  const runToEnd = createRuns({ failures, stopping: stopping.signal, waitMs: options.waitMs ?? WAIT_MS })
  const parts = { client, appId: config.appId, sweeps, failures, log, clock, announce, runToEnd }
  const functions = functionsOf(parts, options)
  return {
    plugin,
    options: {
      client,
      functions: [...functions],
      options: {
        servePath: SERVE_PATH,
        ...(origin !== undefined && { serveOrigin: origin }),
        // Whoever may make us register could name a foreign host as ours.
        enableUnauthedSync: false,
      },
    },
    functionIds: functions.map((one) => one.id()),
    isSigned: !config.isDev,
    stop: async () => stopping.abort(),
  }
}

function functionsOf(
  parts: FunctionParts,
  { audit, organizations, schedules }: EngineOptions,
): readonly EngineFunction[] {
  return [
    ...(audit !== undefined && organizations !== undefined ? alertFunctions(parts, { audit, organizations }) : []),
    ...(audit === undefined ? [] : errorFunctions(parts, audit)),
    requestedFunction(parts),
    ...schedules.map((schedule) => scheduledFunction(parts, schedule)),
  ]
}
