import { startWorker } from './children.ts'
import { type Job, type OwnAccount, type Result, type Via } from './job.ts'
import { dueAmong, fillingFor } from './orders.ts'
import { planChanges, planPrunes, type Extent, type PlannedChange, type PlannedPrune } from './plan.ts'
import type { Stage } from './stage.ts'

/** A row of the first table. */
export interface PruneRow extends PlannedPrune {
  /** Null for a row that is left out. */
  readonly figures: PruneFigures | null
}

export interface PruneFigures {
  /** By the server's own count. */
  readonly billed: number
  /** The same by Orderly's meter; null for ways that have none. */
  readonly metered: number | null
  readonly requests: number
  readonly seconds: number
  /** The highest resident memory above that of an idle process, in megabytes (10^6 bytes). */
  readonly extraMegabytes: number
  readonly receivedMegabytes: number
  readonly deleted: number
}

/** A row of the second table: averages of one change. */
export interface ChangeRow extends PlannedChange {
  readonly billed: number
  readonly requests: number
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly microseconds: number
}

/** All that a bench measured. */
export interface Measured {
  /** Resident memory of an idle process, in megabytes. */
  readonly idleMegabytes: Readonly<Record<Via, number>>
  readonly prunes: readonly PruneRow[]
  readonly changes: readonly ChangeRow[]
  /** Sentences about what must not be: wrong counts. */
  readonly problems: readonly string[]
}

export interface RunOptions {
  readonly stage: Stage
  readonly extent: Extent
  readonly asOfMs: number
  /** Told of each step. */
  readonly say: (text: string) => void
}

/** Measures row after row, each in a process of its own. */
export async function runBench(options: RunOptions): Promise<Measured> {
  const { extent, say } = options
  const problems: string[] = []
  const idleMegabytes = { tcp: await measureIdle('tcp', options), rest: await measureIdle('rest', options) }
  const prunes: PruneRow[] = []
  for (const planned of planPrunes(extent)) {
    const { orders, way, via, leftOut } = planned
    if (leftOut === null) say(`${orders} orders, ${way}, ${via}`)
    const figures = leftOut === null ? await measurePrune(planned, { ...options, idleMegabytes, problems }) : null
    prunes.push({ ...planned, figures })
  }
  const changes: ChangeRow[] = []
  for (const planned of planChanges()) {
    say(`${planned.changes} changes, ${planned.way}, ${planned.via}`)
    changes.push(await measureChange(planned, { ...options, problems }))
  }
  return { idleMegabytes, prunes, changes, problems }
}

/** Idle processes that are looked at; the smallest counts. */
const IDLE_PROCESSES = 3

async function measureIdle(via: Via, { stage, asOfMs }: RunOptions): Promise<number> {
  const sizes: number[] = []
  while (sizes.length < IDLE_PROCESSES) {
    const worker = await startWorker({ kind: 'idle', target: stage.targets[via], asOfMs })
    sizes.push((await worker.go()).peakBytes)
  }
  return Math.min(...sizes) / 1e6
}

type RowOptions = RunOptions & { readonly problems: string[] }
type PruneOptions = RowOptions & Pick<Measured, 'idleMegabytes'>

async function measurePrune(planned: PlannedPrune, options: PruneOptions): Promise<PruneFigures> {
  const { orders, way, via } = planned
  const { stage, asOfMs, idleMegabytes, problems } = options
  const filling = fillingFor(way)
  await stage.fill(filling, orders)
  const { result, commands } = await work({ kind: 'prune', way, target: stage.targets[via], asOfMs }, stage)
  const left = await stage.countOrders()
  const name = `${orders} orders, ${way}, ${via}`
  const due = dueAmong(filling, orders)
  if (result.done !== due || orders - left !== due) {
    problems.push(`${name}: ${due} orders were due, ${result.done} reported as deleted, ${orders - left} gone.`)
  }
  problems.push(...disagreements(name, result, commands))
  return {
    billed: total(commands),
    metered: result.own?.billed ?? null,
    requests: result.requests,
    seconds: result.ms / 1_000,
    extraMegabytes: result.peakBytes / 1e6 - idleMegabytes[via],
    receivedMegabytes: result.receivedBytes / 1e6,
    deleted: result.done,
  }
}

async function measureChange(planned: PlannedChange, { stage, asOfMs, problems }: RowOptions): Promise<ChangeRow> {
  const { way, via, changes } = planned
  await stage.fill('fresh', changes)
  const { result, commands } = await work({ kind: 'change', way, changes, target: stage.targets[via], asOfMs }, stage)
  const name = `${changes} changes, ${way}, ${via}`
  if (result.done !== changes) problems.push(`${name}: only ${result.done} came about.`)
  problems.push(...disagreements(name, result, commands))
  return {
    ...planned,
    billed: total(commands) / changes,
    requests: result.requests / changes,
    sentBytes: result.sentBytes / changes,
    receivedBytes: result.receivedBytes / changes,
    microseconds: (result.ms * 1_000) / changes,
  }
}

type Counts = Readonly<Record<string, number>>

/** What a worker measured, and what the server counted meanwhile. */
async function work(job: Job, stage: Stage): Promise<{ readonly result: Result; readonly commands: Counts }> {
  const worker = await startWorker(job)
  await stage.resetStats()
  const result = await worker.go()
  return { result, commands: await stage.billed() }
}

const total = (commands: Counts) => Object.values(commands).reduce((sum, count) => sum + count, 0)

/** Where Orderly's own account differs from what the server and the driver counted. */
function disagreements(name: string, { own, requests }: Result, commands: Counts): string[] {
  if (own === null) return []
  const problems: string[] = []
  if (own.outcome !== 'done') problems.push(`${name}: the run ended ${own.outcome}.`)
  if (own.billed !== total(commands)) {
    problems.push(`${name}: the meter billed ${listed(own)}, the server counted ${total(commands)} ${text(commands)}.`)
  }
  if (own.requests !== requests) problems.push(`${name}: the meter counted ${own.requests} requests, not ${requests}.`)
  return problems
}

const listed = ({ billed, commands }: OwnAccount) => `${billed} ${text(commands)}`
const text = (commands: Counts) =>
  `(${Object.entries(commands)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')})`
