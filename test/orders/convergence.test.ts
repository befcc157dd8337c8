import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createUpstashConnection } from '../../src/redis/upstash.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Connection, Transport } from '../../src/redis/transport.ts'
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { startRestServer, type Fault, type RestServer } from '../support/rest-server.ts'
import type { Carrier } from '../support/rough-road.ts'
import { createTwoDesks, type TwoDesksOptions } from '../support/two-desks.ts'
import { stepsWith, type Step } from '../support/two-desks-steps.ts'

// The pauses before a repetition are real seconds; what is tested is what a repetition does.
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<typeof import('node:timers/promises')>()),
  setTimeout: async () => undefined,
}))

const DEADLINE_MS = 2_000
