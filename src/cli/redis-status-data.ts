import { isoInstant } from '../calendar.ts'
import type { StoreStatus } from '../redis/status/status.ts'

/** A status as `--json` shows it: the same fields whether there was an answer or not. */
export function statusDataOf(status: StoreStatus, zone: string) {
  const { name, ok, verdict, lines, figures, families, queues, areQueuesComplete, slowLog } = status
  return {
    name,
    ok,
    verdict,
    because: status.error?.message ?? null,
    lines,
    figures,
    families: families?.largest ?? [],
    otherFamilies: families?.others ?? null,
    areFamiliesEstimated: families?.isEstimate ?? null,
    queues,
    areQueuesComplete,
    slowLog: slowLog.map(({ atMs, micros, command }) => ({ at: isoInstant(atMs, zone), micros, command })),
  }
}
