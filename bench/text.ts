import type { ChangeWay, PruneWay, Via } from './job.ts'
import { ORDER_BYTES } from './orders.ts'
import type { Pledge } from './pledges.ts'
import type { ChangeRow, Measured, PruneRow } from './run.ts'
import { alignTable, threeDigits, whole } from './table.ts'

/** What ran where. */
export interface Machine {
  readonly node: string
  readonly redis: string
  readonly cores: number
}

/** What was measured of orders, as the text that is printed. */
export function benchText({ idleMegabytes: idle, prunes, changes, problems }: Measured): string {
  return [
    `Deleting the old half of orders of ${whole(ORDER_BYTES)} bytes (of the last way: the finished ones of it).`,
    "Billed commands by the server's own count; memory above that of an idle process with the same modules",
    `(${whole(idle.tcp)} MB over TCP, ${whole(idle.rest)} MB over REST).`,
    '',
    ...pruneLines(prunes),
    '',
    `Changing one order of ${whole(ORDER_BYTES)} bytes once; averages of ${whole(changes[0]?.changes ?? 0)} orders. Bytes as on the wire.`,
    '',
    ...changeLines(changes),
    ...problems.map((problem) => `WRONG  ${problem}`),
  ].join('\n')
}

const PRUNE_TITLES: Readonly<Record<PruneWay, string>> = {
  former: 'former bot: KEYS, then GET and DEL one by one',
  naive: 'naive: SCAN 1000, then GET and DEL one by one',
  foreign: "Orderly, the former bot's keys",
  ulid: 'Orderly, ULID keys',
  between: 'Orderly, ULID keys, old half between the cutoffs',
}

const CHANGE_TITLES: Readonly<Record<ChangeWay, string>> = {
  append: 'Orderly: APPEND of one entry',
  'compare-and-set': 'script: GET, compare, SET',
  'get-and-set': 'GET, then SET (loses what others write)',
}

const VIA_TITLES: Readonly<Record<Via, string>> = { tcp: 'TCP', rest: 'REST' }

function pruneLines(rows: readonly PruneRow[]): string[] {
  const head = ['orders', 'way', 'over', 'billed', 'round trips', 'seconds', 'MB more', 'MB received', 'deleted']
  return alignTable(head, rows.map(pruneCells))
}

function pruneCells({ orders, way, via, leftOut, figures }: PruneRow): string[] {
  const title = leftOut === null ? PRUNE_TITLES[way] : `${PRUNE_TITLES[way]} (${leftOut})`
  const row = [whole(orders), title, VIA_TITLES[via]]
  if (figures === null) return [...row, '-', '-', '-', '-', '-', '-']
  const { billed, requests, seconds, extraMegabytes, receivedMegabytes, deleted } = figures
  const amounts = [threeDigits(seconds), whole(extraMegabytes), threeDigits(receivedMegabytes)]
  return [...row, whole(billed), whole(requests), ...amounts, whole(deleted)]
}

function changeLines(rows: readonly ChangeRow[]): string[] {
  const head = ['way', 'over', 'billed', 'round trips', 'bytes sent', 'bytes received', 'microseconds']
  return alignTable(
    head,
    rows.map(({ way, via, billed, requests, sentBytes, receivedBytes, microseconds }) => [
      CHANGE_TITLES[way],
      VIA_TITLES[via],
      billed.toFixed(2),
      requests.toFixed(2),
      ...[sentBytes, receivedBytes, microseconds].map(whole),
    ]),
  )
}

/** The promises, and whether they were kept. */
export const pledgeText = (pledges: readonly Pledge[]): string =>
  alignTable(
    ['', 'promise', 'measured'],
    pledges.map(({ promise, measured, isKept }) => [
      isKept === null ? 'not checked' : isKept ? 'ok' : 'BROKEN',
      promise,
      measured,
    ]),
  ).join('\n')
