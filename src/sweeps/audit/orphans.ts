import { DatabaseError } from '../../errors.ts'
import type { Queryable } from '../../postgres/queryable.ts'
import { instantText, isBefore } from './alert-plan.ts'
import type { TalliedPart } from './alert-tally.ts'
import { countedInTime } from './counting.ts'
import {
  countLeft,
  deleteDue,
  newWalk,
  numberIn,
  stayed,
  UNCOUNTED,
  type Deletion,
  type DeletionOptions,
} from './deletion.ts'
import { isResolved } from './index-advice.ts'
import type { Session } from './session.ts'
import { sqlType, type AlertTables } from './tables.ts'

/** Organizations that are gone and that one page holds. */
const PAGE_SIZE = 1_000

export interface OrphansOptions extends Omit<DeletionOptions, 'onDeleted'> {
  /** Counts. */
  readonly reader: Session
  /** Deletes. Undefined where nothing is to go. */
  readonly worker: Session | undefined
  /** Whether the old ones are due at all. */
  readonly areDue: boolean
  /** How many organizations there are. */
  readonly organizations: number
  readonly cutoffMs: number
  readonly onProgress: () => void
}

/**
 * Counts the alerts of organizations that are gone; deletes resolved ones from before the cutoff where that is wanted, but
 * none while such organizations outnumber those that there are: more likely the list is at fault. What goes wrong is told of
 * the part.
 *
 * @throws SweepStopped when the run must not go on.
 */
export async function sweepOrphans(part: TalliedPart, tables: AlertTables, options: OrphansOptions): Promise<void> {
  const { areDue, organizations } = options
  try {
    const counting = lookForOrphans(tables, options)
    const looked = areDue ? await counting : await countedInTime(counting)
    if (looked === undefined) return part.say('They could not be counted in time. None of them goes.')
    const { gone, found, old, all } = looked
    const isCredible = all <= organizations
    const due = areDue && isCredible ? old : 0
    part.found({ due, kept: found - due })
    if (areDue && !isCredible) part.say(`${all} are gone and ${organizations} are there: ${INCREDIBLE}`)
    if (due === 0) return
    let left = 0
    for (const one of gone) left += await deleteOrphans(part, { ...one, tables }, options)
    if (left > 0) throw stayed(left, 'alerts')
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    part.fail(error)
  }
}

const INCREDIBLE = 'nothing goes while they are more. Is this the right table of organizations?'

interface Looked {
  /** Those with something to delete; no more of them once all are too many to be credible. */
  readonly gone: readonly Gone[]
  /** Their number, with something to delete or not. */
  readonly all: number
  readonly found: number
  readonly old: number
}

/** Goes through all pages of organizations that are gone. */
async function lookForOrphans(
  tables: AlertTables,
  { reader, organizations, cutoffMs, goOn }: OrphansOptions,
): Promise<Looked> {
  const gone: Gone[] = []
  let [all, found, old] = [0, 0, 0]
  let page: readonly Gone[] = []
  do {
    await goOn()
    const after = page.at(-1)?.id
    page = await reader.attempt((sql) => goneOrganizations(sql, tables, { cutoffMs, after }))
    for (const one of page) {
      found += one.found
      old += one.old
    }
    all += page.length
    if (all <= organizations) gone.push(...page.filter((one) => one.old > 0))
  } while (page.length === PAGE_SIZE)
  return { gone, all, found, old }
}

/** @returns how many stayed. */
async function deleteOrphans(
  part: TalliedPart,
  { id, old, tables }: Gone & { readonly tables: AlertTables },
  options: OrphansOptions,
): Promise<number> {
  const { worker, cutoffMs, onProgress } = options
  if (worker === undefined) return 0
  const deletion = orphanDeletion(tables, { id, cutoffMs })
  const walk = newWalk()
  const onDeleted = (count: number) => {
    part.deleted(count)
    onProgress()
  }
  try {
    return await worker.attempt(async (sql) => {
      await deleteDue(sql, deletion, { ...options, walk, onDeleted })
      return walk.deleted < old ? await countLeft(sql, deletion) : 0
    })
  } finally {
    if (walk.isUncounted && walk.deleted < old) part.say(UNCOUNTED)
  }
}

/** An organization that is gone, by what its alerts say. */
interface Gone {
  readonly id: string
  /** Its alerts. */
  readonly found: number
  /** Of those the resolved ones from before the cutoff. */
  readonly old: number
}

interface Place {
  readonly cutoffMs: number
  readonly after: string | undefined
}

async function goneOrganizations(
  sql: Queryable,
  tables: AlertTables,
  { cutoffMs, after }: Place,
): Promise<readonly Gone[]> {
  const { sql: table, columns } = tables.alerts
  const { organization_id: owner, resolved, resolved_at: time } = columns
  const name = `t.${owner.sql}`
  const bound = after === undefined ? '' : ` AND ${name} > $2::${sqlType[owner.kind]}`
  const { rows } = await sql.query(
    `SELECT ${name}::text AS gone, count(*) AS found,
      count(*) FILTER (WHERE ${isResolved(resolved, 't.')} AND ${isBefore(time, 1)}) AS old
    FROM ${table} t WHERE ${isGone(tables)}${bound} GROUP BY ${name} ORDER BY ${name} LIMIT ${PAGE_SIZE}`,
    [instantText(cutoffMs), ...(after === undefined ? [] : [after])],
  )
  return rows.map(({ gone, found, old }) => ({ id: String(gone), found: numberIn(found), old: numberIn(old) }))
}

function orphanDeletion(tables: AlertTables, { id, cutoffMs }: { readonly id: string; readonly cutoffMs: number }) {
  const { alerts } = tables
  const { id: key, organization_id: owner, resolved, resolved_at: time } = alerts.columns
  const isOld = `${isResolved(resolved, 't.')} AND ${isBefore(time, 2)}`
  return {
    table: alerts,
    key,
    walk: time,
    isDue: `t.${owner.sql} = $1::${sqlType[owner.kind]} AND ${isOld} AND ${isGone(tables)}`,
    values: [id, instantText(cutoffMs)],
  } satisfies Deletion
}

/** SQL: whether there is no organization any more that an alert belongs to. What never belonged to one is no orphan. */
function isGone({ alerts, organization }: AlertTables): string {
  const owner = `t.${alerts.columns.organization_id.sql}`
  return `${owner} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ${organization.sql} o WHERE o.${organization.columns.id.sql} = ${owner})`
}
