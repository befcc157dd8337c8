import type { AppError } from '../../errors.ts'
import type { Findings, SweepPart } from '../report.ts'
import type { AlertCounts, Judged } from './alert-plan.ts'

/** What a run of the sweep found and did, as the parts of its report: one for each organization. */
export interface AlertTally {
  /** Notes an organization that was judged; without counts when it took too long to count. */
  add(judged: Judged, counts: AlertCounts | undefined): TalliedPart
  /** Begins a part for what belongs to no organization. */
  addOther(name: string): TalliedPart
  readonly failures: readonly Failure[]
  /** How many were judged. */
  readonly organizations: number
  /** Puts what is known so far into the findings. */
  publish(): void
  /** The same at the end of the run, with what people should know. */
  conclude(): void
}

/** A part while it is worked on. */
export interface TalliedPart {
  readonly name: string
  readonly due: number
  readonly kept: number
  /** Whether what is due was counted before anything was deleted. */
  readonly isCounted: boolean
  found(counts: AlertCounts): void
  /** Notes that its turn has come. */
  start(): void
  deleted(count: number): void
  say(because: string): void
  fail(error: AppError): void
}

export interface Failure {
  readonly name: string
  readonly error: AppError
}

/** With more parts than this, organizations of which there is nothing to tell are summed up in one. */
const MOST_PARTS = 200

/** The longest name of a part, and how many organizations a sentence names. */
const MOST_CHARACTERS = 80
const MOST_NAMES = 5

type Counted = { -readonly [Key in keyof SweepPart]: SweepPart[Key] }

export interface AlertTallyOptions {
  readonly findings: Findings
  readonly isDryRun: boolean
  /** Where an organization has no retention of its own. */
  readonly usualDays: number
}

export function createAlertTally({ findings, isDryRun, usualDays }: AlertTallyOptions): AlertTally {
  const telling: Counted[] = []
  const others: Counted[] = []
  const failures: Failure[] = []
  const refused: string[] = []
  let quiet: Counted[] = []
  let [organizations, usual, summedUp] = [0, 0, 0]
  const rest = partNamed('')

  const found = (part: Counted, { due, kept }: AlertCounts) => {
    findings.due += due
    findings.kept += kept
    part.scanned += due + kept
    part.due += due
    part.kept += kept
  }
  const started = new Set<Counted>()
  const tallied = (part: Counted, isCounted = true): TalliedPart => ({
    name: part.name,
    isCounted,
    start: () => void started.add(part),
    get due() {
      return part.due
    },
    get kept() {
      return part.kept
    },
    found: (counts) => found(part, counts),
    deleted: (count) => {
      part.deleted += count
      findings.deleted += count
      // Rows may become due between counting and deleting.
      found(part, { due: Math.max(part.deleted - part.due, 0), kept: 0 })
    },
    say: (because) => {
      part.because = [part.because, because].filter(Boolean).join(' ')
    },
    fail: (error) => {
      part.because = [part.because, error.message].filter(Boolean).join(' ')
      failures.push({ name: part.name, error })
    },
  })
  const sumUp = () => {
    for (const { scanned, kept } of quiet) {
      rest.scanned += scanned
      rest.kept += kept
    }
    summedUp += quiet.length
    quiet = []
    rest.name = `${summedUp} organizations with nothing to delete`
  }

  const publish = () => {
    if (summedUp > 0 || telling.length + quiet.length > MOST_PARTS) sumUp()
    findings.parts = [...telling, ...quiet, ...(summedUp > 0 ? [rest] : []), ...others]
    findings.summary = summary()
  }

  return {
    failures,
    get organizations() {
      return organizations
    },
    add: (judged, counts) => {
      const part = partNamed(shortened(judged.id))
      found(part, counts ?? { due: 0, kept: 0 })
      organizations += 1
      if (judged.retentionDays === null) usual += 1
      if (judged.cutoffMs === undefined) {
        part.because = 'Its retention is no whole number of days from 1 to 365, so its alerts are kept.'
        refused.push(part.name)
      } else if (counts === undefined)
        part.because = 'Its alerts could not be counted in time, so what is kept is not known.'
      if (part.due > 0 || part.because !== null) telling.push(part)
      else quiet.push(part)
      return tallied(part, counts !== undefined)
    },
    addOther: (name) => {
      const part = partNamed(name)
      others.push(part)
      return tallied(part)
    },
    publish,
    conclude: () => {
      for (const part of isDryRun ? [] : telling) {
        if (part.due > 0 && !started.has(part)) part.because = 'Its turn did not come. The next run begins with it.'
      }
      publish()
      if (refused.length > 0) findings.remarks.push(`${named(refused)}: ${REFUSED}`)
    },
  }

  function summary(): string {
    const counted = (part: SweepPart) => (isDryRun ? part.due : part.deleted)
    const touched = telling.filter((part) => counted(part) > 0)
    const total = touched.reduce((sum, part) => sum + counted(part), 0)
    const ownerless = others.reduce((sum, part) => sum + counted(part), 0)
    const further = ownerless === 0 ? '' : ` and ${ownerless} of organizations that are gone`
    const usually = usual === 0 ? '' : `, ${usual} of them without a retention of their own: ${usualDays} days`
    return `${isDryRun ? 'Would delete' : 'Deleted'} ${total} alerts of ${touched.length} organizations${further} (${organizations} looked at${usually}).`
  }
}

const REFUSED = 'the retention is no whole number of days from 1 to 365, so all alerts are kept.'

const partNamed = (name: string): Counted => ({ name, scanned: 0, due: 0, deleted: 0, kept: 0, because: null })

/** How many organizations, and the first five of them. */
export function named(names: readonly string[]): string {
  const listed = names.slice(0, MOST_NAMES).join(', ')
  const more = names.length > MOST_NAMES ? ', ...' : ''
  return `${names.length} ${names.length === 1 ? 'organization' : 'organizations'} (${listed}${more})`
}

const shortened = (name: string) => (name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS - 3)}...` : name)
