import type { Pledge } from '../pledges.ts'
import type { UsageMeasured } from './run.ts'

const MOST_MEGABYTES = 220
const LONGEST_MS = 50

/** The promises about pictures. */
export function checkUsagePledges(measured: UsageMeasured | null): readonly Pledge[] {
  const memory = `/usage in a row: the whole service stays under ${MOST_MEGABYTES} MB of resident memory`
  const loop = `/usage in a row: the main thread never works ${LONGEST_MS} ms in one go`
  if (measured === null) return [memory, loop].map((promise) => ({ promise, measured: 'not run', isKept: null }))
  const megabytes = Math.max(...measured.rows.map(({ peakBytes }) => peakBytes / 1e6))
  const works = measured.rows.map(({ longestWorkMs }) => longestWorkMs).filter((ms) => ms !== null)
  const ms = works.length === 0 ? null : Math.max(...works)
  return [
    { promise: memory, measured: `${megabytes.toFixed(0)} MB`, isKept: megabytes < MOST_MEGABYTES },
    {
      promise: loop,
      measured: ms === null ? 'not known here' : `${ms.toFixed(1)} ms`,
      isKept: ms === null ? null : ms < LONGEST_MS,
    },
  ]
}
