import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/clock.ts'
import { LIMIT_MINUTES, type Extent } from './plan.ts'
import { checkPledges } from './pledges.ts'
import { runBench } from './run.ts'
import { openStage, redisVersion } from './stage.ts'
import { benchText } from './text.ts'

const USAGE = `npm run bench -- [--short | --full] [--json]

Compares ways to prune and to change orders on a redis-server that it starts itself. Ends with 1 when a count is wrong or a
promise is broken.

  --short  up to 10 000 orders, and 100 000 in Orderly's ways only: under two minutes
  --full   also 1 000 000 orders in Orderly's ways
  --json   prints one JSON object instead of the tables
`

interface Options {
  readonly extent: Extent
  readonly isJson: boolean
}

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
  const flags = { short: { type: 'boolean' }, full: { type: 'boolean' }, json: { type: 'boolean' } } as const
  try {
    const { short = false, full = false, json = false } = parseArgs({ args: [...args], options: flags }).values
    if (short && full) return undefined
    return { extent: short ? 'short' : full ? 'full' : 'default', isJson: json }
  } catch {
    return undefined
  }
}

async function bench({ extent, isJson }: Options): Promise<number> {
  const stopped = untilStopped(LIMIT_MINUTES[extent])
  const asOfMs = noonOf(systemClock())
  const stage = await openStage(asOfMs)
  try {
    const measured = await Promise.race([runBench({ stage, extent, asOfMs, say }), stopped])
    const pledges = checkPledges(measured)
    const machine = { node: process.version, redis: redisVersion(), cores: availableParallelism() }
    const text = isJson ? JSON.stringify({ machine, ...measured, pledges }) : benchText(machine, measured, pledges)
    process.stdout.write(`${text}\n`)
    return report([
      ...measured.problems,
      ...pledges.filter(({ isKept }) => isKept === false).map(({ promise }) => promise),
    ])
  } finally {
    // The workers are killed when this process exits.
    await stage.stop()
  }
}

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
