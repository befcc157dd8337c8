import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/clock.ts'
import { checkAuditPledges } from './audit/pledges.ts'
import { runAudit, type AuditMeasured } from './audit/run.ts'
import { auditText } from './audit/text.ts'
import { checkBullmqPledges } from './bullmq/pledges.ts'
import { runBullmq, type BullmqMeasured } from './bullmq/run.ts'
import { bullmqText } from './bullmq/text.ts'
import { checkExecutionsPledges } from './executions/pledges.ts'
import { runExecutions, type ExecutionsMeasured } from './executions/run.ts'
import { executionsText } from './executions/text.ts'
import { checkInngestPledges } from './inngest/pledges.ts'
import { runInngest, type InngestMeasured } from './inngest/run.ts'
import { inngestText } from './inngest/text.ts'
import { LIMIT_MINUTES, type Extent } from './plan.ts'
import { checkPledges, type Pledge } from './pledges.ts'
import { runBench, type Measured } from './run.ts'
import { openStage, redisVersion } from './stage.ts'
import { benchText, pledgeText, type Machine } from './text.ts'
import { checkUsagePledges } from './usage/pledges.ts'
import { runUsage, type UsageMeasured } from './usage/run.ts'
import { usageText } from './usage/text.ts'

const USAGE = `npm run bench -- [--short | --full] [--only orders | inngest | audit | bullmq | executions | usage] [--json]

Compares ways to prune and to change orders, sweeps the stores of a made-up Inngest server, a made-up audit database and a
queue of BullMQ, runs workflow executions, and asks a service for its usage, on a redis-server and a PostgreSQL that it starts
itself. Ends with 1 when a count is wrong or a promise is broken.

  --short  up to 10 000 orders, and 100 000 in Orderly's ways only; 5 000 runs of Inngest; executions
           for 10 s: under three minutes
  --full   also 1 000 000 orders in Orderly's ways; 100 000 runs of Inngest instead of 20 000; executions for a minute
  --only   one of the parts
  --json   prints one JSON object instead of the tables
`

interface Options {
  readonly extent: Extent
  readonly isJson: boolean
  /** Undefined for all. */
  readonly only: Part | undefined
}

const parts = ['orders', 'inngest', 'audit', 'bullmq', 'executions', 'usage'] as const
type Part = (typeof parts)[number]

/** Why a bench ended early. */
class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  try {
    return await bench(options)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return error instanceof Stopped ? error.exitCode : 1
  }
}

function readOptions(args: readonly string[]): Options | undefined {
  const boolean = { type: 'boolean' } as const
  const flags = { short: boolean, full: boolean, json: boolean, only: { type: 'string' } } as const
  try {
    const { short = false, full = false, json = false, only } = parseArgs({ args: [...args], options: flags }).values
    const part = parts.find((name) => name === only)
    if ((short && full) || part !== only) return undefined
    return { extent: short ? 'short' : full ? 'full' : 'default', isJson: json, only: part }
  } catch {
    return undefined
  }
}

async function bench({ extent, isJson, only }: Options): Promise<number> {
  const stopped = untilStopped(LIMIT_MINUTES[extent])
  const nowMs = noonOf(systemClock())
  const wants = (part: Part) => only === undefined || only === part
  const orders = wants('orders') ? await benchOrders(extent, nowMs, stopped) : null
  const inngest = wants('inngest') ? await Promise.race([runInngest({ extent, nowMs, say }), stopped]) : null
  const audit = wants('audit') ? await Promise.race([runAudit({ nowMs, say }), stopped]) : null
  const bullmq = wants('bullmq') ? await Promise.race([runBullmq({ extent, nowMs, say }), stopped]) : null
  const executions = wants('executions') ? await Promise.race([runExecutions({ extent, say }), stopped]) : null
  const usage = wants('usage') ? await Promise.race([runUsage({ extent, say }), stopped]) : null
  const pledges = [
    ...(orders === null ? [] : checkPledges(orders)),
    ...checkInngestPledges(inngest),
    ...checkAuditPledges(audit),
    ...checkBullmqPledges(bullmq),
    ...checkExecutionsPledges(executions),
    ...checkUsagePledges(usage),
  ]
  const results = { orders, inngest, audit, bullmq, executions, usage, pledges }
  const machine = { node: process.version, redis: redisVersion(), cores: availableParallelism() }
  process.stdout.write(`${isJson ? JSON.stringify({ machine, ...results }) : textOf(machine, results)}\n`)
  const broken = pledges.filter(({ isKept }) => isKept === false).map(({ promise }) => promise)
  const problems = [orders, inngest, audit, bullmq, executions, usage].flatMap((measured) => measured?.problems ?? [])
  return report([...problems, ...broken])
}

async function benchOrders(extent: Extent, asOfMs: number, stopped: Promise<never>): Promise<Measured> {
  const stage = await openStage(asOfMs)
  try {
    return await Promise.race([runBench({ stage, extent, asOfMs, say }), stopped])
  } finally {
    // The workers are killed when this process exits.
    await stage.stop()
  }
}

interface Results {
  readonly orders: Measured | null
  readonly inngest: InngestMeasured | null
  readonly audit: AuditMeasured | null
  readonly bullmq: BullmqMeasured | null
  readonly executions: ExecutionsMeasured | null
  readonly usage: UsageMeasured | null
  readonly pledges: readonly Pledge[]
}

const textOf = (machine: Machine, { orders, inngest, audit, bullmq, executions, usage, pledges }: Results): string =>
  [
    `node ${machine.node}, redis ${machine.redis}, ${machine.cores} cores, all on this machine; no network in between`,
    ...(orders === null ? [] : ['', benchText(orders)]),
    ...(inngest === null ? [] : ['', inngestText(inngest)]),
    ...(audit === null ? [] : ['', auditText(audit)]),
    ...(bullmq === null ? [] : ['', bullmqText(bullmq)]),
    ...(executions === null ? [] : ['', executionsText(executions)]),
    ...(usage === null ? [] : ['', usageText(usage)]),
    '',
    pledgeText(pledges),
  ].join('\n')

/** Says what is wrong, and makes the exit code of it. */
function report(wrong: readonly string[]): number {
  for (const sentence of wrong) say(`FAILED: ${sentence}`)
  return wrong.length === 0 ? 0 : 1
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

const DAY_MS = 24 * 3_600_000

/** Noon UTC: far from midnight in the orders' zone, so that ages in hours are ages in calendar days too. */
const noonOf = (ms: number) => Math.floor(ms / DAY_MS) * DAY_MS + DAY_MS / 2

/** Rejects when the time is over or somebody interrupts. */
function untilStopped(minutes: number): Promise<never> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = (message: string, exitCode: number) => () => reject(new Stopped(message, exitCode))
    setTimeout(stop(`The bench takes longer than ${minutes} minutes, so it ends.`, 1), minutes * 60_000).unref()
    process.once('SIGINT', stop('Interrupted.', 130)).once('SIGTERM', stop('Ended by a signal.', 143))
  })
  stopped.catch(() => undefined)
  return stopped
}

process.exit(await main(process.argv.slice(2)))
