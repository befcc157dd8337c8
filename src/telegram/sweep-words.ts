import type { OtherSweepName } from '../sweeps/registry.ts'

/** How a sweep is talked of in the chat; there it is asked for by its name, `/cleanup <name>`. */
export interface SweepWords {
  /** Its name as an admin reads it, in the middle of a sentence. */
  readonly title: string
  readonly article: 'A' | 'An'
  /** What it judges, one of them. */
  readonly unit: string
  readonly cleaning: string
  readonly counting: string
  /** The answer where it is not configured. */
  readonly missing: string
  /** What its days are for in the usage, and what a bare command keeps. */
  readonly usage: { readonly subject: string; readonly defaultDays: string }
  /** Its line of `/help`. */
  readonly help: string
  /** Why it keeps what has not ended. */
  readonly openBecause: string
  /** Whether its parts, such as organizations, may each have a retention of its own: then no number of days stands for a run. */
  readonly variesByPart: boolean
  /** Whether one cutoff stands for the default days; of BullMQ two ages and two numbers do. */
  readonly hasCutoff: boolean
  /** Whether days that somebody gives are first shown, with the button that deletes: they override what is kept. */
  readonly asksAboutDays: boolean
  /** Whether a run on schedule is worth a message where nothing went wrong. */
  readonly tellsGoodNews: boolean
}

export const sweepWords: Readonly<Record<OtherSweepName, SweepWords>> = {
  inngest: {
    title: 'Inngest cleanup',
    article: 'An',
    unit: 'run',
    cleaning: '🧹 Cleaning up Inngest',
    counting: '🔍 Counting what is due of Inngest',
    missing: 'There is no Inngest to clean up: INNGEST_DATABASE_URL is not set.',
    usage: { subject: 'Inngest', defaultDays: 'INNGEST_RETENTION_DAYS' },
    help: 'deletes old runs of Inngest; a bare one keeps INNGEST_RETENTION_DAYS.',
    openBecause: 'incomplete',
    variesByPart: false,
    hasCutoff: true,
    asksAboutDays: false,
    tellsGoodNews: true,
  },
  alerts: {
    title: 'alert cleanup',
    article: 'An',
    unit: 'alert',
    cleaning: '🧹 Cleaning up alerts',
    counting: '🔍 Counting which alerts are due',
    missing: 'There are no alerts to clean up: AUDIT_DATABASE_URL is not set.',
    usage: { subject: 'alerts', defaultDays: 'what each organization says, or ALERT_RETENTION_DAYS' },
    help: 'deletes resolved alerts; a bare one keeps what each organization says.',
    openBecause: 'unresolved',
    variesByPart: true,
    hasCutoff: true,
    asksAboutDays: true,
    tellsGoodNews: false,
  },
  errors: {
    title: 'error cleanup',
    article: 'An',
    unit: 'row',
    cleaning: '🧹 Cleaning up errors',
    counting: '🔍 Counting which errors are due',
    missing: 'There are no errors to clean up: AUDIT_DATABASE_URL is not set.',
    usage: { subject: 'errors', defaultDays: 'ERROR_RETENTION_DAYS' },
    help: 'deletes old errors; a bare one keeps ERROR_RETENTION_DAYS.',
    openBecause: 'open',
    variesByPart: false,
    hasCutoff: true,
    asksAboutDays: true,
    tellsGoodNews: false,
  },
  bullmq: {
    title: 'queue cleanup',
    article: 'A',
    unit: 'job',
    cleaning: '🧹 Cleaning up the queues of BullMQ',
    counting: '🔍 Counting which finished jobs are due',
    missing: 'There are no queues to clean up: BULLMQ_REDIS_URL is not set.',
    usage: { subject: 'bullmq', defaultDays: 'BULLMQ_COMPLETED_AGE and BULLMQ_FAILED_AGE' },
    help: 'deletes finished jobs of BullMQ; a bare one keeps what BULLMQ_COMPLETED_* and BULLMQ_FAILED_* say.',
    openBecause: 'a live job needs them',
    variesByPart: true,
    hasCutoff: false,
    asksAboutDays: true,
    tellsGoodNews: false,
  },
  executions: {
    title: 'execution cleanup',
    article: 'An',
    unit: 'execution',
    cleaning: '🧹 Cleaning up workflow executions',
    counting: '🔍 Counting which executions are due',
    missing: 'There are no executions to clean up: EXECUTIONS_REDIS_URL is not set.',
    usage: { subject: 'executions', defaultDays: 'EXECUTIONS_MAX_AGE_DAYS' },
    help: 'deletes the state of executions that somebody gave up; a bare one keeps EXECUTIONS_MAX_AGE_DAYS.',
    openBecause: 'in progress',
    variesByPart: false,
    hasCutoff: true,
    asksAboutDays: true,
    tellsGoodNews: false,
  },
}

/** Whether a text names one of these sweeps. */
export const isOtherSweepName = (text: string): text is OtherSweepName => Object.hasOwn(sweepWords, text)
