import { alignTable, threeDigits, whole } from '../table.ts'
import type { UsageMeasured, UsageWay } from './run.ts'

const TITLES: Readonly<Record<UsageWay, string>> = {
  drawn: 'each drawn anew',
  repeated: "each with Telegram's copy of the first",
}

/** What was measured of `/usage`, as the text that is printed. */
export function usageText({ rows, problems }: UsageMeasured): string {
  return [
    'Asking a whole service, its bot included, for /usage in a row. Milliseconds until the picture is in the chat; resident',
    'memory in MB; the most work of the main thread in one go, and the longest delay of its event loop by the clock, to which',
    'everything else on this machine adds.',
    '',
    ...alignTable(
      ['/usage', 'calls', 'milliseconds', 'before', 'peak', 'after', 'work ms', 'delay ms'],
      rows.map(({ way, calls, msPerCall, startBytes, peakBytes, endBytes, longestWorkMs, longestDelayMs }) => [
        TITLES[way],
        whole(calls),
        threeDigits(msPerCall),
        ...[startBytes, peakBytes, endBytes].map((bytes) => whole(bytes / 1e6)),
        longestWorkMs === null ? '-' : threeDigits(longestWorkMs),
        threeDigits(longestDelayMs),
      ]),
    ),
    ...problems.map((problem) => `WRONG  ${problem}`),
  ].join('\n')
}
