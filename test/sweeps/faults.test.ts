import { setTimeout as pause } from 'node:timers'
import type * as timers from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Connection } from '../../src/redis/transport.ts'
import { startCutProxy, type CutProxy } from '../support/cut-proxy.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { openStage, sweepThrough, type Stage, type Troubled } from '../support/troubled-sweep.ts'

// The pauses before a repetition are 1.2 s in all; here they are 20 times shorter.
vi.mock('node:timers/promises', async (original) => {
  const real = await original<typeof timers>()
  return { ...real, setTimeout: (ms: number) => real.setTimeout(ms / 20) }
})

const DEADLINE_MS = 500

const sleep = (ms: number) => new Promise<void>((resolve) => void pause(resolve, ms))

const isSweeping = (name: string | undefined) => name !== 'XADD' && name !== 'EVAL'
const endingOf = ({ report: { outcome }, code }: Troubled) => ({ outcome, code })
const failed = { outcome: 'failed', code: 'REDIS_UNREACHABLE' }
const done = { outcome: 'done', code: null }

describeWithRedis('the order pruner and a server in trouble', () => {
  let server: RedisServer
  let proxy: CutProxy
  let connection: Connection
  let throughProxy: Connection
  let direct: Connection
  let stage: Stage
  /** Numbers of the requests of an undisturbed run: the first of each kind, and the last deletion. */
  let some: readonly number[]
  beforeAll(async () => {
    server = await startRedisServer({ appendOnly: true })
    proxy = await startCutProxy(server.port)
    connection = createTcpConnection({ url: server.url, deadlineMs: DEADLINE_MS })
    throughProxy = createTcpConnection({ url: `redis://127.0.0.1:${proxy.port}`, deadlineMs: DEADLINE_MS })
    direct = createTcpConnection({ url: server.url, deadlineMs: 5_000 })
    stage = await openStage(server.url, direct)
    await stage.reset()
    await stage.expectPlanned()
    const { requests } = await stage.rehearse()
    const telling = ['SCAN', 'MGET', 'UNLINK', 'XADD'].map((name) => requests.indexOf(name))
    some = [...telling, requests.lastIndexOf('UNLINK')]
  })
  afterAll(async () => {
    stage.close()
    await connection.close()
    await throughProxy.close()
    await direct.close()
    await proxy.stop()
    await server.stop()
  })

  /** Makes the server answer again, and waits until it has done what it was asked meanwhile. */
  const settle = async () => {
    await server.kill('SIGCONT')
    for (let before = -1, now = 0; before !== now; await sleep(20)) {
      before = now
      now = Number((await direct.send([['DBSIZE']]))[0])
    }
  }

  /** What a report says is true, what it does not know it says, and the next run completes it. */
  const expectTruth = async ({ report, code, unanswered }: Troubled) => {
    const gone = await stage.expectOnlyDueGone()
    const isFailed = { outcome: report.outcome, code, because: report.because }
    if (unanswered.includes('UNLINK')) {
      expect(isFailed).toEqual({
        outcome: 'failed',
        code: 'REDIS_UNREACHABLE',
        because: expect.stringMatching(/unknown how many/),
      })
      expect(gone).toBeGreaterThanOrEqual(report.deleted)
    } else {
      expect(gone).toBe(report.deleted)
    }
    await stage.expectRestGoes()
  }

  it('fails when the server is killed before a request is sent', async () => {
    for (const at of some) {
      await stage.reset()

      const run = await sweepThrough(connection, {}, async (_, index, carryOut) => {
        if (index === at) await server.kill('SIGKILL')
        return carryOut()
      })

      await server.restart()
      await untilServing(direct)
      expect(endingOf(run)).toEqual(isSweeping(run.requests[at]) ? failed : done)
      await expectTruth(run)
    }
  })

  it('says what it does not know when the server is killed while it works', async () => {
    for (const at of some) {
      await stage.reset()

      const run = await sweepThrough(connection, {}, async (_, index, carryOut) => {
        if (index !== at) return carryOut()
        const [answer] = await Promise.allSettled([
          carryOut(),
          sleep(Math.random() * 4).then(() => server.kill('SIGKILL')),
        ])
        if (answer.status === 'rejected') throw answer.reason
        return answer.value
      })

      await server.restart()
      await untilServing(direct)
      expect([done, failed]).toContainEqual(endingOf(run))
      await expectTruth(run)
    }
  })

  it('fails when the server stands still for longer than it is waited for', async () => {
    for (const at of some) {
      await stage.reset()

      const run = await sweepThrough(connection, {}, async (_, index, carryOut) => {
        if (index === at) await server.kill('SIGSTOP')
        return carryOut()
      })

      await settle()
      expect(endingOf(run)).toEqual(isSweeping(run.requests[at]) ? failed : done)
      await expectTruth(run)
    }
  })

  it('goes on by itself when the server stands still for a moment, unless a deletion was under way', async () => {
    for (const at of some) {
      await stage.reset()

      const run = await sweepThrough(connection, {}, async (_, index, carryOut) => {
        if (index !== at) return carryOut()
        await server.kill('SIGSTOP')
        pause(() => void server.kill('SIGCONT'), DEADLINE_MS * 1.4)
        return carryOut()
      })

      await settle()
      expect(endingOf(run)).toEqual(run.unanswered.includes('UNLINK') ? failed : done)
      await expectTruth(run)
    }
  })

  it('goes on by itself when the connection is cut, unless a deletion was under way', async () => {
    for (const at of some) {
      await stage.reset()

      const run = await sweepThrough(throughProxy, {}, async (_, index, carryOut) => {
        if (index === at) void proxy.cutAfter(Math.floor(Math.random() * 4))
        return carryOut()
      })

      expect(endingOf(run)).toEqual(run.unanswered.includes('UNLINK') ? failed : done)
      await expectTruth(run)
    }
  })

  it('ends well or says why when the server restarts between two requests, and keeps what is not due', async () => {
    for (const at of some) {
      await stage.reset()

      const run = await sweepThrough(connection, {}, async (_, index, carryOut) => {
        if (index === at) await server.restart()
        return carryOut()
      })

      await untilServing(direct)
      expect([done, failed]).toContainEqual(endingOf(run))
      await expectTruth(run)
    }
  })
})

async function untilServing({ send }: Connection) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const reply = await send([['PING']]).catch(() => undefined)
    if (reply?.[0] === 'PONG') return
    await sleep(20)
  }
  throw new Error('The server did not come back.')
}
