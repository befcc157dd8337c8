import type { Pledge } from '../pledges.ts'
import type { BullmqMeasured } from './run.ts'

const LONGEST_MS = 100
const TIMES_FEWER = 20

/** The promises about the sweep over queues of BullMQ. */
export function checkBullmqPledges(measured: BullmqMeasured | null): readonly Pledge[] {
  const fewer = `BullMQ: at least ${TIMES_FEWER} times fewer commands than a removal job by job`
  const brief = `BullMQ: the server serves others again within ${LONGEST_MS} ms`
  const [ours, naive] = ['orderly', 'naive'].map((way) => measured?.rows.find((row) => row.way === way))
  if (measured === null || ours === undefined || naive === undefined) {
    return [fewer, brief].map((promise) => ({ promise, measured: 'not run', isKept: null }))
  }
  const times = naive.sent / ours.sent
  const longestMs = Math.max(...measured.rows.filter(({ way }) => way !== 'naive').map((row) => row.longestMs))
  return [
    { promise: fewer, measured: `${times.toFixed(1)} times`, isKept: times >= TIMES_FEWER },
    { promise: brief, measured: `${longestMs.toFixed(1)} ms`, isKept: longestMs <= LONGEST_MS },
  ]
}
