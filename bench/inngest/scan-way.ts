import { openResp, textReply } from '../../test/support/resp.ts'

/** What it cost to look for the state of some runs. */
export interface ScanFigures {
  readonly runs: number
  readonly commands: number
  readonly ms: number
}

/** Keys that one SCAN looks at: what Redis takes where nobody says a number. */
const COUNT = 10

/**
 * The way of a known cleaner to find out whether a run is alive: for each run two passes over all keys by SCAN, one for its
 * state and one for what it waits for.
 */
export async function checkByScan(url: string, runIds: readonly string[]): Promise<ScanFigures> {
  const connection = await openResp(url)
  const startedAtMs = performance.now()
  let commands = 0
  try {
    for (const id of runIds) {
      for (const pattern of [`{estate:*${id}*`, `{estate}:*${id}*`]) {
        let cursor = '0'
        do {
          const [reply] = await connection.call([['SCAN', cursor, 'MATCH', pattern, 'COUNT', COUNT]])
          commands += 1
          cursor = String((textReply(reply ?? null) as readonly unknown[])[0])
        } while (cursor !== '0')
      }
    }
  } finally {
    connection.close()
  }
  return { runs: runIds.length, commands, ms: performance.now() - startedAtMs }
}
