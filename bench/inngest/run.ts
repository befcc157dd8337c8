import { startWorker } from '../children.ts'
import type { Extent } from '../plan.ts'
import type { Job, Result } from '../job.ts'
import { checkByScan, type ScanFigures } from './scan-way.ts'
import { hasPostgres, openInngestStage, type InngestStage, type StatementFigures } from './stage.ts'
import { DAY_MS, expectedAt, inngestStore, isUnfinished, type Expected, type InngestStore } from './store.ts'
import { watchTransactions, type Longest } from './watch.ts'
import { startWriter, type WriterFigures } from './writer.ts'

/** One sweep over the made-up server. */
export interface InngestRow extends StatementFigures {
  readonly title: string
  readonly expected: Expected
  readonly seconds: number
  /** Calls of each Redis command by the server's own count, free ones included. */
  readonly commands: Readonly<Record<string, number>>
  readonly requests: number
  /** The highest resident memory above that of an idle process, in megabytes (10^6 bytes). */
  readonly extraMegabytes: number
  readonly longest: Longest
  readonly writer: WriterFigures
}

/** All that was measured over Inngest's stores. */
export interface InngestMeasured {
  readonly store: InngestStore
  readonly idleMegabytes: number
  readonly rows: readonly InngestRow[]
  /** Unfinished runs older than the retention, and what it took to ask for some of them by SCAN. */
  readonly scan: ScanFigures
  readonly problems: readonly string[]
}

export interface InngestRunOptions {
  readonly extent: Extent
  readonly nowMs: number
  /** Told of each step. */
  readonly say: (text: string) => void
}

/**
 * Sweeps a made-up Inngest server twice, as in a first night and in the one after, beside a writer; then asks for the state
 * of a few runs by SCAN.
 *
 * @returns null where PostgreSQL is not installed.
 * @throws where it is not installed and `isRequired`.
 */
export async function runInngest({ extent, nowMs, say }: InngestRunOptions): Promise<InngestMeasured | null> {
  if (!hasPostgres) {
    if ((process.env['CI'] ?? '') !== '') throw new Error('The bench of the Inngest sweep needs PostgreSQL.')
    say('LEFT OUT: the sweep over Inngest, for PostgreSQL is not installed.')
    return null
  }
  const store = inngestStore(extent, nowMs)
  say(`inngest: filling PostgreSQL with ${store.runs} runs and Redis with ${store.keys} keys`)
  const stage = await openInngestStage(store)
  try {
    return await measure(stage, store, say)
  } finally {
    await stage.stop()
  }
}

/** Runs that are asked for by SCAN. */
const SCANNED_RUNS = 20

async function measure(
  stage: InngestStage,
  store: InngestStore,
  say: InngestRunOptions['say'],
): Promise<InngestMeasured> {
  const idle = await (await startWorker(jobOf(stage, store.asOfMs, true))).go()
  const idleMegabytes = idle.peakBytes / 1e6
  const problems: string[] = []
  const runIds = stage.runIds.filter((_, run) => isUnfinished(run)).slice(0, SCANNED_RUNS)
  say('inngest: asking by SCAN')
  const scan = await checkByScan(stage.redisUrl, runIds)
  const nights: readonly Night[] = [
    { title: 'first night', asOfMs: store.asOfMs, sweptMs: 0 },
    { title: 'next night', asOfMs: store.asOfMs + DAY_MS, sweptMs: store.asOfMs },
  ]
  const rows: InngestRow[] = []
  for (const night of nights) {
    say(`inngest: ${night.title}`)
    rows.push(await sweep(night, { stage, store, idleMegabytes, problems }))
  }
  return { store, idleMegabytes, rows, scan, problems }
}

const jobOf = ({ databaseUrl, redisUrl }: InngestStage, asOfMs: number, isIdle: boolean): Job => ({
  kind: 'inngest',
  target: { kind: 'memory' },
  asOfMs,
  inngest: { databaseUrl, redisUrl, isIdle },
})

interface Night {
  readonly title: string
  readonly asOfMs: number
  /** As of when the previous sweep was; 0 where there was none. */
  readonly sweptMs: number
}

interface SweepOptions {
  readonly stage: InngestStage
  readonly store: InngestStore
  readonly idleMegabytes: number
  readonly problems: string[]
}

async function sweep(
  { title, asOfMs, sweptMs }: Night,
  { stage, store, idleMegabytes, problems }: SweepOptions,
): Promise<InngestRow> {
  const expected = expectedAt(store, asOfMs, sweptMs)
  const before = await stage.countRuns()
  const worker = await startWorker(jobOf(stage, asOfMs, false))
  const writer = await startWriter(stage.besideUrl, asOfMs + DAY_MS)
  const watch = await watchTransactions(stage.besideUrl)
  await stage.resetStats()
  const result = await worker.go()
  const [commands, figures] = [await stage.commands(), await stage.statements()]
  const [longest, written] = [await watch.stop(), await writer.stop()]
  const gone = before - (await stage.countRuns())
  problems.push(...wrongIn({ title, expected, result, gone }))
  return {
    ...figures,
    title,
    expected,
    seconds: result.ms / 1_000,
    commands,
    requests: result.own?.requests ?? 0,
    extraMegabytes: result.peakBytes / 1e6 - idleMegabytes,
    longest,
    writer: written,
  }
}

interface Outcome {
  readonly title: string
  readonly expected: Expected
  readonly result: Result
  /** Made-up runs that are not there any more. */
  readonly gone: number
}

function wrongIn({ title, expected, result: { done, own }, gone }: Outcome): string[] {
  const due = expected.completed + expected.abandoned
  const problems: string[] = []
  if (own?.outcome !== 'done' || own.said?.startsWith('aware') !== true) {
    problems.push(`inngest, ${title}: the run ended ${own?.outcome}. ${own?.said}`)
  }
  if (done !== due || gone !== due) {
    problems.push(`inngest, ${title}: ${due} runs were due, ${done} reported as deleted, ${gone} gone.`)
  }
  return problems
}
