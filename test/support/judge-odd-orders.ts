import { isoInstant } from '../../src/calendar.ts'
import { decodeInstant } from '../../src/orders/instant.ts'
import { judgeKey, judgeValue } from '../../src/sweeps/order-verdict.ts'
import { calendarCutoffs } from '../../src/sweeps/retention.ts'
import { instant } from './clock.ts'
import { oddOrders } from './orders.ts'

// Run as a process of its own, with the zone that TZ names: prints that zone's offset and what Orderly makes of times.
const zone = 'Europe/Berlin'
const verdicts = oddOrders
  .filter(({ type, verdict }) => type === 'string' && verdict !== 'untouched')
  .map(({ key, value, now, days }) => {
    const asOfMs = instant(now)
    const window = { ...calendarCutoffs({ days, zone }, asOfMs), asOfMs, nowMs: asOfMs, zone }
    const byKey = judgeKey(key, window)
    const { verdict, timeMs } = byKey.verdict === 'read' ? judgeValue(key, String(value), window) : byKey
    return [key, verdict, timeMs === undefined ? null : isoInstant(timeMs, zone)]
  })
const offset = new Date(instant('2026-03-30T10:00:00+02:00')).getTimezoneOffset()
console.log(JSON.stringify({ offset, verdicts, naive: decodeInstant('2026-03-28T00:30:00', zone) }))
