import type { Config } from '../config.ts'
import { cadenceTimetable } from './cadence.ts'
import { cronTimetable } from './cron.ts'
import type { Timetable } from './timetable.ts'

/** When each sweep is due, by its name; undefined for one that is not configured or switched off. */
export const timetablesOf = ({ schedule, inngest, audit, bullmq, executions, zone }: Config) =>
  ({
    orders: schedule === undefined ? undefined : cadenceTimetable({ ...schedule, zone }),
    inngest: inngest === undefined ? undefined : cronTimetable(inngest.schedule),
    alerts: audit && cronTimetable(audit.alertSchedule),
    errors: audit && cronTimetable(audit.errorSchedule),
    bullmq: bullmq && cronTimetable(bullmq.schedule),
    executions: executions && cronTimetable(executions.schedule),
  }) satisfies Record<string, Timetable | undefined>
