import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { RedisTarget } from '../../src/config.ts'
import { connect } from '../../src/redis/connect.ts'
import { describeWithRedis, type TestRedis, testRedis } from '../support/redis-server.ts'
import { type RestServer, startRestServer } from '../support/rest-server.ts'

describe('connect', () => {
  it.each<RedisTarget>([
    { kind: 'memory' },
    { kind: 'tcp', url: 'redis://127.0.0.1:1' },
    { kind: 'upstash', url: 'http://127.0.0.1:1', token: 'token' },
  ])('opens the driver that the target names, and sends nothing yet: $kind', async (target) => {
    const connection = await connect(target, { clock: systemClock })

    expect(connection.kind).toBe(target.kind)
    await connection.close()
  })

  it('measures expiry in the embedded store by the clock it was given', async () => {
    let nowMs = 0
    const { send } = await connect({ kind: 'memory' }, { clock: () => nowMs })
    await send([['SET', 'a', '1', 'EX', 1]])

    nowMs = 1_000

    expect(await send([['GET', 'a']])).toEqual([null])
  })
})

/** Runs open-and-close.ts as a process of its own; rejects when that does not end by itself. */
async function openAndClose(target: RedisTarget): Promise<string> {
  const script = join(import.meta.dirname, '../support/open-and-close.ts')
  const words = ['--import', 'tsx', script, JSON.stringify(target)]
  const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 15_000 })
  return stdout.trim()
}

describeWithRedis(
  'a process that has closed its connection',
  () => {
    let redis: TestRedis
    let rest: RestServer
    beforeAll(async () => {
      redis = await testRedis()
      rest = await startRestServer({ redisUrl: redis.url })
    })
    afterAll(async () => {
      await rest.stop()
      await redis.stop()
    })

    it('ends by itself, whether its requests were answered or not', async () => {
      const answers = await Promise.all([
        openAndClose({ kind: 'tcp', url: redis.url }),
        openAndClose({ kind: 'upstash', url: rest.url, token: rest.token }),
        openAndClose({ kind: 'tcp', url: 'redis://127.0.0.1:1' }),
      ])

      expect(answers).toEqual(['PONG', 'PONG', expect.stringMatching(/^Redis is unreachable/)])
    })
  },
  { own: false },
)
