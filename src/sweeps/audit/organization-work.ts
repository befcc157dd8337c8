import { DatabaseError } from '../../errors.ts'
import type { Database } from '../../postgres/queryable.ts'
import { alertDeletion, type Judged } from './alert-plan.ts'
import type { TalliedPart } from './alert-tally.ts'
import { countLeft, deleteDue, newWalk, stayed, UNCOUNTED, type Deletion, type DeletionOptions } from './deletion.ts'
import type { Session } from './session.ts'
import { sqlType, type AlertTables } from './tables.ts'

export interface OrganizationWorkOptions extends Omit<DeletionOptions, 'onDeleted'> {
  readonly session: Session
  readonly tables: AlertTables
  /** Milliseconds after which the organization is left for the next run. */
  readonly deadlineMs: number
  readonly onProgress: () => void
}

/** What became of one organization. */
export interface Worked {
  /** 1, and one more for each connection that was lost. */
  readonly attempts: number
  readonly deleted: number
  readonly failure: DatabaseError | undefined
}

/**
 * Deletes what is due of one organization. What goes wrong with it is told of its part and does not keep others from theirs.
 *
 * @throws SweepStopped when the run must not go on.
 */
export async function workOn(judged: Judged, part: TalliedPart, options: OrganizationWorkOptions): Promise<Worked> {
  const { session, tables, deadlineMs, goOn, onProgress } = options
  const deletion = alertDeletion(tables, judged)
  const walk = newWalk()
  const over = new AbortController()
  const deadline = setTimeout(() => {
    over.abort()
    // Ends the statement under way, too.
    void session.close()
  }, deadlineMs)
  let attempts = 0
  part.start()
  try {
    const work = async (sql: Database) => {
      await deleteDue(sql, deletion, {
        ...options,
        walk,
        goOn: async () => {
          if (over.signal.aborted) throw tooLong(deadlineMs)
          await goOn()
        },
        onDeleted: (count) => {
          part.deleted(count)
          onProgress()
        },
      })
      if (walk.deleted < part.due) await explain(sql, part, { judged, tables, deletion })
    }
    await session.attempt(work, { signal: over.signal, onAttempt: (attempt) => void (attempts = attempt) })
    if (attempts > 1) part.say(`The connection was lost: it took ${attempts} attempts.`)
    return { attempts, deleted: walk.deleted, failure: undefined }
  } catch (error) {
    if (!(error instanceof DatabaseError)) {
      part.say('The run ended before all of them went. The next run goes on with it.')
      throw error
    }
    const failure = over.signal.aborted ? tooLong(deadlineMs) : error
    part.fail(failure)
    return { attempts, deleted: walk.deleted, failure }
  } finally {
    clearTimeout(deadline)
    if (walk.isUncounted && (walk.deleted < part.due || !part.isCounted)) part.say(UNCOUNTED)
  }
}

const tooLong = (deadlineMs: number) =>
  new DatabaseError('DATABASE_BUSY', `It took longer than ${deadlineMs / 1_000} seconds. The next run goes on with it.`)

interface Explaining {
  readonly judged: Judged
  readonly tables: AlertTables
  readonly deletion: Deletion
}

/**
 * Fewer alerts went than were counted: the organization has changed meanwhile, or somebody holds them.
 *
 * @throws DatabaseError `DATABASE_BUSY` for alerts that stayed.
 */
async function explain(sql: Database, part: TalliedPart, { judged, tables, deletion }: Explaining): Promise<void> {
  const left = await countLeft(sql, deletion)
  if (left > 0) throw stayed(left, 'alerts')
  const { sql: table, columns } = tables.organization
  const { rows } = await sql.query(
    `SELECT 1 FROM ${table} o WHERE o.${columns.id.sql} = $1::${sqlType[columns.id.kind]} LIMIT 1`,
    [judged.id],
  )
  if (rows.length === 0) return part.say('It was deleted meanwhile, so its remaining alerts are kept.')
  const remaining = await countLeft(sql, alertDeletion(tables, { ...judged, isOverridden: true }))
  if (remaining > 0) part.say('Its retention was changed meanwhile: the next run judges by the new one.')
}
