import type { CronConfig } from '../config.ts'
import type { SweepName } from '../sweeps/registry.ts'
import { cronTrigger } from './cron-trigger.ts'
import { RETRIES, type EngineFunction, type FunctionParts } from './parts.ts'
import type { StartRun } from './runs.ts'

/** A sweep that the engine wakes in place of the local schedule. */
export interface EngineSchedule {
  readonly name: SweepName
  /** When to look whether a slot is due: at each slot or more often. */
  readonly cron: CronConfig
  /** Runs the slot that is due, once over all instances and whoever wakes them, and tells people when it is completed. */
  readonly runDue: StartRun
}

/** `orders-sweep`, `inngest-sweep`, ...: the engine is the alarm clock, the timetable says whether a slot is due. */
export const scheduledFunction = (parts: FunctionParts, { name, cron, runDue }: EngineSchedule): EngineFunction =>
  parts.client.createFunction(
    { id: `${name}-sweep`, triggers: cronTrigger(cron), concurrency: 1, retries: RETRIES },
    async (context) =>
      await parts.runToEnd(context, { start: runDue, onFailed: ({ report }) => parts.announce(report) }),
  )
