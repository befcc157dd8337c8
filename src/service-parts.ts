import type { SweepPart, SweepReport } from './sweeps/report.ts'

/** A run that somebody else does organization by organization, put together again. */
export interface PartRuns {
  /** Notes what came of one organization. Those of another day begin anew. */
  note(organization: string, report: SweepReport): void
  /** What has come of all of a day so far, as one report; undefined before the first. */
  sum(): SweepReport | undefined
}

/** Organizations that are remembered one by one; further ones of which nothing is to be said are summed up. */
const MOST_PARTS = 5_000
const OTHERS = 'other organizations'

/** Remembers the parts that this process ran, for a day. */
export function createPartRuns(): PartRuns {
  let first: SweepReport | undefined
  const parts = new Map<string, SweepPart>()
  const failed = new Set<string>()
  return {
    note: (organization, report) => {
      if (first === undefined || dayOf(first) !== dayOf(report)) {
        first = report
        parts.clear()
        failed.clear()
      }
      const part = partOf(organization, report)
      const isOneOfMany = parts.size >= MOST_PARTS && !parts.has(organization) && part.because === null
      if (isOneOfMany) parts.set(OTHERS, sumOf(parts.get(OTHERS), part))
      else parts.set(organization, added(parts.get(organization), part))
      if (report.outcome === 'done') failed.delete(organization)
      else failed.add(organization)
    },
    sum: () => first && summed(first, { parts: [...parts.values()], failed: failed.size }),
  }
}

const dayOf = ({ startedAt }: SweepReport) => startedAt.slice(0, 10)

function partOf(name: string, { parts, outcome, because, scanned, due, deleted, kept }: SweepReport): SweepPart {
  const [part = { name, scanned, due, deleted, kept, because: null }] = parts ?? []
  return { ...part, because: part.because ?? (outcome === 'done' ? null : because) }
}

/** What an earlier try deleted is not there to be judged any more. */
function added(before: SweepPart | undefined, part: SweepPart): SweepPart {
  const { deleted } = before ?? { deleted: 0 }
  return {
    ...part,
    scanned: part.scanned + deleted,
    due: part.due + deleted,
    deleted: part.deleted + deleted,
  }
}

const sumOf = (sum: SweepPart | undefined, part: SweepPart): SweepPart => ({
  name: OTHERS,
  scanned: part.scanned + (sum?.scanned ?? 0),
  due: part.due + (sum?.due ?? 0),
  deleted: part.deleted + (sum?.deleted ?? 0),
  kept: part.kept + (sum?.kept ?? 0),
  because: null,
})

function summed(
  first: SweepReport,
  { parts, failed }: { readonly parts: readonly SweepPart[]; readonly failed: number },
): SweepReport {
  const total = (count: (part: SweepPart) => number) => parts.reduce((sum, part) => sum + count(part), 0)
  return {
    ...first,
    outcome: failed === 0 ? 'done' : 'failed',
    because: failed === 0 ? null : `${failed} ${failed === 1 ? 'organization' : 'organizations'} failed.`,
    summary: null,
    scanned: total((part) => part.scanned),
    due: total((part) => part.due),
    deleted: total((part) => part.deleted),
    kept: total((part) => part.kept),
    parts,
  }
}
