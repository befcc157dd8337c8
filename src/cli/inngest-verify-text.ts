import { reasonRows } from './inngest-diagnosis-text.ts'
import type { Verification, VerifiedRun } from './inngest-verify.ts'
import { columns, printable } from './text.ts'

/** What a sweep would do with a sample of runs, for a person at a terminal. */
export function verificationText({ judging, mode, reasons, sample }: Verification): string {
  const { asOf, zone, days } = judging
  const heading = ['', 'run', 'started', 'finished', 'signs of life', 'because']
  return [
    `Mode: ${printable(mode, 600)}`,
    `A sweep as of ${asOf} (${zone}) that keeps ${days} x 24 hours would judge:`,
    columns(reasonRows(reasons)),
    ...(sample.length === 0 ? [] : ['', columns([heading, ...sample.map(rowOf)])]),
    '',
    'Nothing was changed.',
  ].join('\n')
}

const rowOf = ({ id, started, finished, signsOfLife, verdict, because }: VerifiedRun): readonly string[] => [
  verdict,
  id,
  minuteOf(started),
  finished === null ? 'no' : minuteOf(finished),
  signsOfLife === null ? 'not asked' : signsOfLife.join(', ') || 'none',
  because,
]

/** An ISO time without seconds and offset: the zone stands above. */
const minuteOf = (iso: string) => iso.slice(0, 16).replace('T', ' ')
