import { expect, it } from 'vitest'
import { createDeferred } from '../../src/sandbox/bot-api/deferred.ts'
import { type OwnServer, startOwnServer } from '../support/own-server.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { openResp, type RespConnection, textReply } from '../support/resp.ts'

/** What a killed server may lose at most: everysec may hold a write back while the disk is still busy with the last. */
const MAY_BE_LOST_MS = 2_000
/** Of steady writing before the kill: so that the promise is about some of it. */
const WRITING_MS = 3_000
const KEYS = 500
const LARGE = 'x'.repeat(20_000)

/** The n-th write: to one of 500 keys, every twentieth of them large. */
const keyOf = (writer: string, n: number) => `${writer}:${n % KEYS}`
const valueOf = (n: number) => (n % 20 === 0 ? `${n} ${LARGE}` : `${n}`)

/** When each write of a writer was confirmed, by its number. */
type Confirmed = readonly number[]

/** Writes one after another until the connection breaks or is closed; `onConfirmed` hears of each write. */
async function writeSteadily(connection: RespConnection, writer: string, onConfirmed: () => void): Promise<Confirmed> {
  const confirmed: number[] = []
  try {
    for (let n = 0; ; n++) {
      const [reply = null] = await connection.call([['SET', keyOf(writer, n), valueOf(n)]])
      if (textReply(reply) !== 'OK') throw new Error(`The server answered ${JSON.stringify(reply)}.`)
      confirmed.push(performance.now())
      onConfirmed()
    }
  } catch (error) {
    if (connection.isOpen) throw error
    return confirmed
  }
}

/** Keys whose value is older than the last write that was confirmed before `atMs`, or is none that was ever written. */
async function lost(server: OwnServer, writer: string, confirmed: Confirmed, atMs: number): Promise<string[]> {
  const connection = await openResp(server.url())
  const due = confirmed.filter((confirmedMs) => confirmedMs <= atMs).length
  const newest = new Map(Array.from({ length: due }, (_, n) => [keyOf(writer, n), n]))
  const [values = null] = await connection.call([['MGET', ...newest.keys()]])
  connection.close()
  const stored = Array.isArray(values) ? values.map((value) => String(textReply(value))) : []
  return [...newest].flatMap(([key, n], at) => {
    const found = Number.parseInt(stored[at] ?? '', 10)
    return found >= n && stored[at] === valueOf(found) ? [] : [key]
  })
}

interface Ending {
  /** A task of the server's own that still runs at the end. */
  readonly task?: 'BGREWRITEAOF' | 'BGSAVE'
  readonly signal: 'SIGKILL' | 'SIGTERM'
  /** Milliseconds before the end from which on writes may be lost. */
  readonly mayBeLostMs: number
}

/** So slow that a task, and no other, still runs at the end, and ends soon after it. */
const SLOW_TASKS = ['--rdb-key-save-delay', '3000', '--auto-aof-rewrite-percentage', '0']

/**
 * Two write for three seconds; then the server ends and is started again. Returns INFO of just before, how many writes of
 * each writer it must have kept, and the keys that it lost.
 */
async function endInTheMidst({ task, signal, mayBeLostMs }: Ending) {
  const server = await startOwnServer({ args: task === undefined ? [] : SLOW_TASKS })
  try {
    const admin = await openResp(server.url('default'))
    const startedAtMs = performance.now()
    const { promise: written, resolve: enough } = createDeferred<undefined>()
    const onConfirmed = () => {
      if (performance.now() - startedAtMs > WRITING_MS) enough(undefined)
    }
    const connections = [await openResp(server.url()), await openResp(server.url())] as const
    const writing = connections.map((connection, at) => writeSteadily(connection, `${at}`, onConfirmed))
    await Promise.race([written, ...writing])
    if (task !== undefined) await admin.call([[task]])
    const info = (await admin.call([['INFO', 'persistence']])).map(textReply).join()

    const untilMs = performance.now() - mayBeLostMs
    await server.kill(signal)
    // The process that still works at the task holds them open.
    for (const connection of [admin, ...connections]) connection.close()
    const confirmed = await Promise.all(writing)
    await server.restart()
    const losses = confirmed.map((times, at) => lost(server, `${at}`, times, untilMs))
    return {
      info,
      kept: confirmed.map((times) => times.filter((ms) => ms <= untilMs).length),
      lost: (await Promise.all(losses)).flat(),
    }
  } finally {
    await server.stop()
  }
}

describeWithRedis('a server of one’s own', () => {
  it.concurrent.each<readonly [string, Partial<Ending>, string]>([
    ['in the midst of steady writes', {}, 'loading:0'],
    ['while its log is rewritten', { task: 'BGREWRITEAOF' }, 'aof_rewrite_in_progress:1'],
    ['while a snapshot is taken', { task: 'BGSAVE' }, 'rdb_bgsave_in_progress:1'],
  ])(
    'that is killed %s loses nothing that it confirmed two seconds before',
    async (_, ending, sign) => {
      const found = await endInTheMidst({ signal: 'SIGKILL', mayBeLostMs: MAY_BE_LOST_MS, ...ending })

      expect(found.info).toContain(sign)
      expect(Math.min(...found.kept)).toBeGreaterThan(0)
      expect(found.lost).toEqual([])
    },
    60_000,
  )

  it.concurrent(
    'that is stopped (SIGTERM) in the midst of writes loses nothing at all',
    async () => {
      const found = await endInTheMidst({ signal: 'SIGTERM', mayBeLostMs: -Infinity })

      expect(Math.min(...found.kept)).toBeGreaterThan(0)
      expect(found.lost).toEqual([])
    },
    60_000,
  )
})
