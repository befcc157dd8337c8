import { EventEmitter } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRedisStore, type RedisClient } from '../../src/executions/index.ts'
import { clientKinds, type ClientKind } from '../support/executions-clients.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import { killRig, TTL_MS, type Life, type Run } from './kill-rig.ts'
import { startKillWorker, type KillWorker } from './kill-worker-process.ts'
import { workOn } from './kill-steps.ts'

/** Ends a client at once and keeps it from connecting again, where it connects by itself. */
function cutOff(redis: RedisClient): void {
  const end: unknown = Reflect.get(redis, 'destroy') ?? Reflect.get(redis, 'disconnect')
  if (typeof end === 'function') void Reflect.apply(end, redis, [])
}

/** A life that ends with its connection: whatever is left of it in this process waits for ever. */
async function liveInProcess(kind: ClientKind, { url, prefix, work, onDeath, life }: Run): Promise<Life> {
  const { redis, close } = await kind.open(url)
  if (redis instanceof EventEmitter) redis.on('error', () => {})
  const store = createRedisStore(redis, { prefix, ttl: TTL_MS })
  // Answered after all greetings, so that no answer to those is taken for one to a command.
  await store.isExecutionInProgress('greeting')
  const told = life()
  const died = new Promise<'died'>((resolve) => {
    onDeath(() => {
      cutOff(redis)
      resolve('died')
    })
  })
  const lived = workOn(store, work, told.telling).then(() => 'done' as const)
  lived.catch(() => undefined)
  const end = await Promise.race([lived, died])
  // A client that is only asked to close waits for the answers that never come.
  if (end === 'done') await close()
  else void close().catch(() => undefined)
  return told.end(end)
}

describeWithRedis('an execution whose worker dies', () => {
  const rig = killRig()

  // The kinds of @upstash/redis differ in how they read and batch, not in what they send one by one.
  it.each(clientKinds.filter(({ name }) => !name.startsWith('@upstash/redis with')))(
    'of $name goes on to its end, whatever command the client had last sent',
    async (kind) => {
      const boundaries = await rig.dieEverywhere({ tasks: ['a', 'b', 'c'], isAtomic: kind.hasScripts }, (run) =>
        liveInProcess(kind, run),
      )

      // At least a begin, a claim and a commit for each task, a look and a disposal, before and after each of them.
      expect(boundaries).toBeGreaterThanOrEqual(2 * 9)
    },
    90_000,
  )
})

describeWithRedis('an execution whose worker is killed', () => {
  const rig = killRig()
  let spare: Promise<KillWorker> | undefined
  const workers: KillWorker[] = []
  const startWorker = async () => {
    const worker = await startKillWorker(rig.target())
    workers.push(worker)
    return worker
  }
  beforeAll(() => {
    spare = startWorker()
  })
  afterAll(async () => {
    await spare
    for (const worker of workers) await worker.kill()
  })

  it('goes on to its end in another process, whatever command the one before had last sent', async () => {
    let worker = await startWorker()
    const boundaries = await rig.dieEverywhere(
      { tasks: ['a', 'b'], isAtomic: true },
      async ({ work, onDeath, life }) => {
        const told = life()
        onDeath(() => void worker.kill())
        const end = await worker.work(work, told.telling)
        if (end === 'died') {
          // Begun before it was needed, for that takes most of the time.
          worker = (await spare) ?? worker
          spare = startWorker()
        }
        return told.end(end)
      },
    )

    expect(boundaries).toBeGreaterThanOrEqual(10)
  }, 180_000)
})
