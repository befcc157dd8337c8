import { alignTable, threeDigits, whole } from '../table.ts'
import { commandsPerRun } from './pledges.ts'
import type { InngestMeasured, InngestRow } from './run.ts'
import { HISTORY_DAYS, ROWS } from './store.ts'
import { LOOK_EVERY_MS } from './watch.ts'

/** What was measured of the sweep over Inngest, as the text that is printed. */
export function inngestText({ store, idleMegabytes, rows, scan, problems }: InngestMeasured): string {
  return [
    `Sweeping a made-up Inngest server: ${whole(store.runs)} runs of ${HISTORY_DAYS} days in PostgreSQL (each ${ROWS.spans} spans, ${ROWS.traces} traces,`,
    `${ROWS.history} rows of history), ${whole(store.keys)} keys in Redis, a writer beside it. Redis commands by the server's own count, statements by`,
    `pg_stat_statements, transactions as seen each ${LOOK_EVERY_MS} ms; memory above that of an idle process (${whole(idleMegabytes)} MB). Each sweep`,
    'pauses for some seconds before abandoned runs go.',
    '',
    ...sweepLines(rows),
    '',
    ...rows.flatMap(noteLines),
    '',
    'Finding out whether unfinished runs are alive. Of Orderly: all Redis commands of the whole first sweep, whatever they',
    'are for, divided by the unfinished runs older than the retention. By SCAN: two passes for each run, COUNT 10.',
    '',
    ...checkLines({ scan, rows }),
    ...problems.map((problem) => `WRONG  ${problem}`),
  ].join('\n')
}

const SWEEP_HEAD = ['sweep', 'completed', 'abandoned', 'seconds', 'statements', 'Redis commands', 'requests', 'MB more']

const sweepLines = (rows: readonly InngestRow[]): string[] =>
  alignTable(
    [...SWEEP_HEAD, 'longest transaction ms', 'writer waited ms'],
    rows.map(({ title, expected, seconds, statements, commands, requests, extraMegabytes, longest, writer }) => [
      title,
      whole(expected.completed),
      whole(expected.abandoned),
      threeDigits(seconds),
      whole(statements),
      whole(sum(commands)),
      whole(requests),
      ...[extraMegabytes, longest.ms, writer.longestMs].map(whole),
    ]),
  )

const sum = (commands: Readonly<Record<string, number>>) =>
  Object.values(commands).reduce((total, count) => total + count, 0)

function noteLines({ title, commands, longest, slowest, slowestMs, writer }: InngestRow): string[] {
  const spent = Object.entries(commands)
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${whole(count)}`)
  return [
    `${title}: ${spent.join(', ')}`,
    `  longest transaction seen: ${longest.statement}`,
    `  slowest statement but VACUUM: ${whole(slowestMs)} ms, ${slowest}`,
    `  the writer's ${whole(writer.statements)} statements: the slowest on ${writer.table}`,
  ]
}

function checkLines({ scan, rows }: Pick<InngestMeasured, 'scan' | 'rows'>): string[] {
  const [first] = rows
  if (first === undefined) return []
  const { checked } = first.expected
  const perRun = { commands: scan.commands / scan.runs, seconds: scan.ms / 1_000 / scan.runs }
  return alignTable(
    ['way', 'runs', 'commands', 'commands a run', 'seconds'],
    [
      [
        'Orderly, the whole sweep',
        whole(checked),
        whole(sum(first.commands)),
        threeDigits(commandsPerRun(first)),
        threeDigits(first.seconds),
      ],
      ['by SCAN', whole(scan.runs), whole(scan.commands), whole(perRun.commands), threeDigits(scan.ms / 1_000)],
      [
        'by SCAN, extrapolated',
        whole(checked),
        whole(perRun.commands * checked),
        whole(perRun.commands),
        threeDigits(perRun.seconds * checked),
      ],
    ],
  )
}
