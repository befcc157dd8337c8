import { hasPostgres, openAuditStage, type AuditStage, type StatementFigures } from './stage.ts'
import { auditStore, type AuditStore } from './store.ts'
import { naive, orderly, type Subject, type Way } from './ways.ts'

/** One way to delete what is due of one thing. */
export interface AuditRow extends StatementFigures {
  readonly subject: Subject
  readonly way: AuditWay
  readonly deleted: number
  readonly seconds: number
}

export type AuditWay = 'orderly' | 'naive'

/** All that was measured over an audit database. */
export interface AuditMeasured {
  readonly store: AuditStore
  readonly rows: readonly AuditRow[]
  readonly problems: readonly string[]
}

export interface AuditRunOptions {
  readonly nowMs: number
  /** Told of each step. */
  readonly say: (text: string) => void
}

const WAYS: Readonly<Record<AuditWay, Way>> = { orderly, naive }

/**
 * Deletes what is due of alerts and of errors, in Orderly's way and in the naive one, each from a copy of the same database.
 *
 * @returns null where PostgreSQL is not installed.
 * @throws where it is not installed and `CI` is set.
 */
export async function runAudit({ nowMs, say }: AuditRunOptions): Promise<AuditMeasured | null> {
  if (!hasPostgres) {
    if ((process.env['CI'] ?? '') !== '') throw new Error('The bench of the audit sweeps needs PostgreSQL.')
    say('LEFT OUT: the sweeps over an audit database, for PostgreSQL is not installed.')
    return null
  }
  const store = auditStore(nowMs)
  say(`audit: filling PostgreSQL with ${store.alerts} alerts and ${store.errors} errors`)
  const stage = await openAuditStage(store)
  try {
    const [rows, problems]: [AuditRow[], string[]] = [[], []]
    for (const subject of ['alerts', 'errors'] as const) {
      for (const way of ['orderly', 'naive'] as const) {
        say(`audit: ${subject}, ${way}`)
        rows.push(await measure({ subject, way }, { stage, store, problems }))
      }
    }
    return { store, rows, problems }
  } finally {
    await stage.stop()
  }
}

interface MeasureOptions {
  readonly stage: AuditStage
  readonly store: AuditStore
  readonly problems: string[]
}

async function measure(
  { subject, way }: Pick<AuditRow, 'subject' | 'way'>,
  { stage, store, problems }: MeasureOptions,
): Promise<AuditRow> {
  const copy = await stage.copy()
  const startedAtMs = performance.now()
  const { deleted, outcome } = await WAYS[way](copy.url, subject, store)
  const seconds = (performance.now() - startedAtMs) / 1_000
  const figures = await copy.statements()
  const [due, left] = [stage.due[subject], (await copy.left())[subject]]
  if (outcome !== 'done' || deleted !== due || left !== 0) {
    problems.push(`audit, ${subject}, ${way}: ${due} were due, ${deleted} deleted, ${left} left; it ended ${outcome}.`)
  }
  return { subject, way, deleted, seconds, ...figures }
}
