import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRedisStore, type WorkerStore } from '../../src/executions/index.ts'
import { clientKinds, type OpenClient } from '../support/executions-clients.ts'
import { meterCosts, type Cost, type CostMeter } from '../support/executions-costs.ts'
import { createModelStore } from '../support/executions-model.ts'
import { runExecution, type Mode } from '../support/executions-worker.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { openResp, textReply, type RespConnection } from '../support/resp.ts'

const TTL_MS = 3_600_000
const MODES: readonly Mode[] = ['isolated', 'until error']
const SIZES = [1, 3, 10] as const

/** What was promised at most, and what the existing store spends. */
const LIMITS = { isolated: (n: number) => 12 + 8 * n, 'until error': (n: number) => 10 + 6 * n }
const MODEL = { isolated: (n: number) => 18 + 11 * n, 'until error': (n: number) => 16 + 9 * n }
const CASES = MODES.flatMap((mode) => SIZES.map((n) => [mode, n] as const))

describeWithRedis('an execution', () => {
  let server: RedisServer
  let meter: CostMeter
  let direct: RespConnection
  let executions = 0

  beforeAll(async () => {
    server = await startRedisServer()
    direct = await openResp(server.url)
    meter = await meterCosts(server)
  })
  afterAll(async () => {
    meter.close()
    direct.close()
    await server.stop()
  })

  const workflow = (n: number) => ({
    executionId: `execution-${++executions}`,
    tasks: Array.from({ length: n }, (_, at) => `task-${at}`),
  })
  const cost = (store: WorkerStore, mode: Mode, n: number) =>
    meter.costOf(async () => {
      const messages = await runExecution(store, workflow(n), mode)
      expect(messages).toBe(2 * n + 3)
    })
  const model = createModelStore(async (...words) => textReply((await direct.call([words]))[0] ?? null), TTL_MS / 1000)
  const overClient = async (name: string, use: (client: OpenClient) => Promise<unknown>) => {
    const client = await clientKinds.find((kind) => kind.name === name)?.open(server.url)
    if (client === undefined) throw new Error(`There is no client ${name}.`)
    try {
      // Whatever a client says at its first command is no cost of an execution.
      await createRedisStore(client.redis).isExecutionInProgress('none')
      return await use(client)
    } finally {
      await client.close()
    }
  }

  it.each(CASES)('costs the existing store what is told of it: %s, %i tasks', async (mode, n) => {
    const { sent, carriedOut } = await cost(model, mode, n)

    expect(sent).toBe(MODEL[mode](n))
    expect(carriedOut).toBe(sent)
  })

  it.each(clientKinds.filter(({ hasScripts }) => hasScripts).map(({ name }) => name))(
    'costs 4n + 7 commands in messages of one task and 3n + 5 in one message, over %s',
    async (name) => {
      await overClient(name, async ({ redis }) => {
        const store = createRedisStore(redis, { ttl: TTL_MS })
        for (const [mode, n] of CASES) {
          const { sent, carriedOut } = await cost(store, mode, n)

          expect(sent).toBe(mode === 'isolated' ? 4 * n + 7 : 3 * n + 5)
          expect(sent).toBeLessThanOrEqual(LIMITS[mode](n))
          expect(carriedOut).toBe(mode === 'isolated' ? 20 * n + 29 : 15 * n + 21)
        }
      })
    },
  )

  it.each(CASES)('stays within its limit when its function waits between tasks: %s, %i tasks', async (mode, n) => {
    await overClient('ioredis 6', async ({ redis }) => {
      const store = createRedisStore(redis, { ttl: TTL_MS })
      const { sent } = await meter.costOf(() => runExecution(store, { ...workflow(n), between: () => turn() }, mode))

      expect(sent).toBeLessThanOrEqual(LIMITS[mode](n))
    })
  })

  it('costs what the documentation says', async () => {
    const rows: string[] = []
    await overClient('ioredis 6', async ({ redis }) => {
      const store = createRedisStore(redis, { ttl: TTL_MS })
      for (const [mode, n] of CASES) {
        const [ours, theirs] = [await cost(store, mode, n), await cost(model, mode, n)]
        rows.push(row(mode, n, { ours, theirs }))
      }
    })

    console.log(rows.join('\n'))
    const page = readFileSync(join(import.meta.dirname, '../../docs/executions.md'), 'utf8')
    for (const line of rows) expect(page).toContain(line)
  })
})

const row = (mode: Mode, n: number, { ours, theirs }: { readonly ours: Cost; readonly theirs: Cost }) =>
  `| ${mode} | ${n} | ${theirs.sent} | ${ours.sent} | ${ours.carriedOut} |`
