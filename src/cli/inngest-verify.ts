import { isoInstant } from '../calendar.ts'
import { isRedisError } from '../errors.ts'
import type { Inspection } from '../sweeps/inngest/inspection.ts'
import type { JudgedRun } from '../sweeps/inngest/judge.ts'
import { createReasonTally, settled, type ReasonCount } from '../sweeps/inngest/reason-tally.ts'
import { signsOfLife, type LifeSign } from '../sweeps/inngest/signs-of-life.ts'
import { ulidTimeMs } from '../sweeps/inngest/ulid.ts'
import { reasonTexts, type Reason } from '../sweeps/inngest/verdict.ts'
import { inspectAs, readJudging, type Judging, type JudgingOptions } from './inngest-judging.ts'
import { verificationText } from './inngest-verify-text.ts'
import type { Io } from './io.ts'
import { withDatabase, withInngest, type InngestParts } from './open-inngest.ts'
import { createReservoir } from './reservoir.ts'
import type { CommandResult } from './result.ts'
import { counted } from './text.ts'

export interface VerifyOptions extends JudgingOptions {
  /** How many runs are shown. @default 20 */
  readonly sample?: number
}

/** A run of the sample. Times are ISO 8601. */
export interface VerifiedRun {
  readonly id: string
  readonly started: string
  /** Null while it has not finished; `unknown` where nobody can read when. */
  readonly finished: string | null
  /** Null where Redis could not be asked. */
  readonly signsOfLife: readonly LifeSign[] | null
  readonly verdict: 'delete' | 'keep'
  readonly reason: Reason
  readonly because: string
}

/** What a sweep would do with runs, and why. */
export interface Verification {
  readonly judging: Judging['told']
  /** In which mode a sweep would run, in words. */
  readonly mode: string
  readonly reasons: readonly ReasonCount[]
  readonly sample: readonly VerifiedRun[]
}

/** `orderly inngest verify`: for a sample of the runs that a sweep would judge, whether each goes and why. Changes nothing. */
export async function inngestVerifyCommand({ sample = 20, ...options }: VerifyOptions, io: Io): Promise<CommandResult> {
  return await withInngest(io, async (parts) => {
    const judging = readJudging(parts, options)
    return await withDatabase(parts, async (database) => {
      const inspection = await inspectAs(judging, { parts, database })
      const verification = await verify(inspection, { parts, judging, sample })
      const { judging: told, mode, reasons, sample: shown } = verification
      const verdicts = reasons.map((one) => ({ ...one, because: reasonTexts[one.reason] }))
      const data = { ...told, mode, verdicts, sample: shown }
      return { data, text: verificationText(verification), error: null, warnings: database.schema.remarks }
    })
  })
}

interface Sampling {
  readonly parts: InngestParts
  readonly judging: Judging
  readonly sample: number
}

async function verify({ judged, liveness }: Inspection, { parts, judging, sample }: Sampling): Promise<Verification> {
  const tally = createReasonTally()
  const reservoir = createReservoir<Reason, JudgedRun>(sample, Math.random)
  let count = 0
  for await (const page of judged(judging.cutoffs.cutoffMs)) {
    for (const run of page) {
      tally.add(run)
      reservoir.add(run.reason, run)
    }
    count += page.length
    parts.progress.show(`${counted(count, 'run')} judged`)
  }
  const awareness = liveness.awareness()
  const runs = reservoir.sample().map((run) => ({ ...run, ...settled(run, awareness) }))
  const signs = await signsOf(runs, { parts, prefix: liveness.prefix() })
  return {
    judging: judging.told,
    mode: liveness.text(),
    reasons: tally.counts(awareness),
    sample: runs.toSorted(inOrder).map((run) => verified(run, { signs, zone: judging.told.zone })),
  }
}

/** Those that go first, then by reason and age. */
const inOrder = (a: JudgedRun, b: JudgedRun) =>
  Number(b.isDue) - Number(a.isDue) || a.reason.localeCompare(b.reason) || a.id.localeCompare(b.id)

type Signs = ReadonlyMap<string, readonly LifeSign[]> | undefined

interface Asked {
  readonly parts: InngestParts
  /** Undefined where Redis could not be asked. */
  readonly prefix: string | undefined
}

/** A Redis that fails only now leaves no more than this unknown. */
async function signsOf(runs: readonly JudgedRun[], { parts: { account }, prefix }: Asked): Promise<Signs> {
  if (account === undefined || prefix === undefined) return undefined
  const ids = runs.map(({ id }) => id)
  try {
    return await signsOfLife(account.send, prefix, ids)
  } catch (error) {
    if (!isRedisError(error)) throw error
    return undefined
  }
}

interface Told {
  readonly signs: Signs
  readonly zone: string
}

const verified = ({ id, finished, isDue, reason }: JudgedRun, { signs, zone }: Told): VerifiedRun => ({
  id,
  started: isoInstant(ulidTimeMs(id), zone),
  finished: finished === 'unfinished' ? null : finished === 'unknown' ? finished : isoInstant(finished, zone),
  signsOfLife: signs?.get(id) ?? null,
  verdict: isDue ? 'delete' : 'keep',
  reason,
  because: reasonTexts[reason],
})
