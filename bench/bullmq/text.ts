import { alignTable, threeDigits, whole } from '../table.ts'
import type { BullmqMeasured, BullmqWay } from './run.ts'

const TITLES: Readonly<Record<BullmqWay, string>> = {
  orderly: "Orderly: BullMQ's own clean in batches, behind a guard",
  'orderly-awaited': 'Orderly, a parent waits for the oldest failed job',
  naive: "naive: BullMQ's own removal, job by job",
}

/** What was measured of the sweep over a queue of BullMQ, as the text that is printed. */
export function bullmqText({ completed, failed, rows, problems }: BullmqMeasured): string {
  return [
    `Sweeping a queue of BullMQ with ${whole(completed)} completed and ${whole(failed)} failed jobs, of which 1 000 and 5 000 stay.`,
    'Commands as the client sent them, and as the server ran them, those inside scripts included; the longest time in which',
    'the server served nobody else. Orderly also looks for orphaned job hashes; the naive way is told what is due.',
    '',
    ...alignTable(
      ['way', 'deleted', 'milliseconds', 'sent', 'ran', 'longest ms'],
      rows.map(({ way, deleted, ms, sent, ran, longestMs }) => [
        TITLES[way],
        whole(deleted),
        whole(ms),
        whole(sent),
        whole(ran),
        threeDigits(longestMs),
      ]),
    ),
    ...problems.map((problem) => `WRONG  ${problem}`),
  ].join('\n')
}
