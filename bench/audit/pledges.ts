import type { Pledge } from '../pledges.ts'
import type { AuditMeasured } from './run.ts'

const LONGEST_MS = 1_000

/** The promises about the sweeps over an audit database. */
export function checkAuditPledges(measured: AuditMeasured | null): readonly Pledge[] {
  const promise = 'Audit: no row of alerts or errors is locked longer than 1 s'
  if (measured === null) return [{ promise, measured: 'not run', isKept: null }]
  const worst = Math.max(
    ...measured.rows.filter(({ way }) => way === 'orderly').map(({ longestLockMs }) => longestLockMs),
  )
  return [{ promise, measured: `${Math.round(worst)} ms`, isKept: worst <= LONGEST_MS }]
}
