import { alignTable, threeDigits, whole } from '../table.ts'
import { ABANDONED_EVERY } from './load.ts'
import type { ExecutionsMeasured } from './run.ts'

/** What was measured of the store of executions, as the text that is printed. */
export function executionsText(measured: ExecutionsMeasured): string {
  const { seconds, perMinute, tasks, ttlSeconds, workers, memory, carriedOut, keysAtEnd, keysLeft, problems } = measured
  const sum = (of: (worker: ExecutionsMeasured['workers'][number]) => number) =>
    workers.reduce((total, worker) => total + of(worker), 0)
  const executions = sum(({ finished, abandoned }) => finished + abandoned)
  return [
    `Running ${whole(perMinute)} executions a minute of ${tasks} tasks each for ${seconds} s, on ${workers.length} workers over ioredis with a ttl of ${ttlSeconds} s;`,
    `one of ${ABANDONED_EVERY} is given up after its first task. Commands that the clients sent, and all that the server carried out,`,
    'those inside scripts too.',
    '',
    ...alignTable(
      [
        'executions',
        'given up',
        'errors',
        'sent each',
        'carried out each',
        'slowest ms',
        'keys at end',
        'keys after ttl',
      ],
      [
        [
          whole(executions),
          whole(sum(({ abandoned }) => abandoned)),
          whole(sum(({ errors }) => errors.count)),
          threeDigits(sum(({ commands }) => commands) / executions),
          threeDigits(carriedOut / executions),
          whole(Math.max(...workers.map(({ slowestMs }) => slowestMs))),
          whole(keysAtEnd),
          whole(keysLeft),
        ],
      ],
    ),
    '',
    ...alignTable(
      ['memory after s', 'Redis MB', ...workers.map((_, at) => `worker ${at + 1} MB`)],
      memory.map(({ afterSeconds, redisBytes, workerBytes }) => [
        afterSeconds.toFixed(1),
        megabytes(redisBytes),
        ...workerBytes.map(megabytes),
      ]),
    ),
    ...problems.map((problem) => `WRONG  ${problem}`),
  ].join('\n')
}

const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1)
