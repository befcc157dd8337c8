import { createApp } from '../../src/app.ts'
import type { Clock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { connect } from '../../src/redis/connect.ts'
import type { Connection } from '../../src/redis/transport.ts'
import { timetablesOf } from '../../src/schedule/timetables.ts'
import { createScheduledSweep } from '../../src/scheduled-sweep.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'
import type { SweepRequest, SweepRun } from '../../src/sweeps/sweep.ts'
import { watched, type WatchedTransport } from './transport.ts'

export interface InstanceOptions {
  readonly clock: Clock
  /** Beside the defaults. */
  readonly env?: Readonly<Record<string, string>>
  /** In place of the Redis that `env` names. It is not closed with the instance. */
  readonly connection?: Connection
  /** Told of each run of the sweep when it ends. */
  readonly onRun?: (run: SweepRun, request: SweepRequest) => void
}

/** One instance of the service as far as its schedule goes, without HTTP and bot. */
export async function createInstance({ clock, env = {}, connection, onRun }: InstanceOptions) {
  const config = readConfig(env)
  const lines: string[] = []
  const own = connection ?? (await connect(config.redis, { clock }))
  const transport: WatchedTransport = watched(own.send)
  const app = await createApp(
    config,
    createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } }),
    { clock, connection: { ...own, send: (commands) => transport.send(commands) } },
  )
  const announced: SweepReport[] = []
  const runs: SweepRun[] = []
  const defects: unknown[] = []
  const timetable = timetablesOf(config).orders
  const scheduler =
    timetable &&
    createScheduledSweep({
      app,
      name: 'orders',
      timetable,
      sweep: async (request) => {
        const run = await app.sweeps.orders(request)
        runs.push(run)
        onRun?.(run, request)
        return run
      },
      emit: () => undefined,
      onDefect: (error) => void defects.push(error),
      announce: (report) => void announced.push(report),
    })
  return {
    app,
    /** Whether there is a schedule at all; without one the next three do nothing. */
    isScheduled: scheduler !== undefined,
    start: async () => scheduler?.start(),
    check: async () => scheduler?.check(),
    stopSchedule: async () => scheduler?.stop(),
    transport,
    /** All runs, the skipped ones too. */
    runs,
    announced,
    defects,
    log: () => lines.join(''),
    stop: async () => {
      await scheduler?.stop()
      if (connection === undefined) await own.close()
    },
  }
}

export type Instance = Awaited<ReturnType<typeof createInstance>>
