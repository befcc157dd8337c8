import { systemClock } from '../../src/clock.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import { createUpstashConnection } from '../../src/redis/upstash.ts'
import { describeTransport } from '../contract/transport.contract.ts'
import { describeWithRedis, testRedis } from '../support/redis-server.ts'
import { startRestServer } from '../support/rest-server.ts'

const deadlineMs = 10_000

describeTransport('memory', async () => ({
  connect: () => createMemoryConnection({ clock: systemClock }),
  stop: async () => {},
}))

describeWithRedis(
  'over a real Redis',
  () => {
    describeTransport('tcp', async () => {
      const redis = await testRedis()
      return { connect: () => createTcpConnection({ url: redis.url, deadlineMs }), stop: () => redis.stop() }
    })

    describeTransport(
      'upstash',
      async () => {
        const redis = await testRedis()
        const rest = await startRestServer({ redisUrl: redis.url })
        return {
          connect: () => createUpstashConnection({ url: rest.url, token: rest.token, deadlineMs }),
          stop: async () => {
            await rest.stop()
            await redis.stop()
          },
        }
      },
      {
        'carries out requests of one tick in their order':
          'HTTP requests made at once travel over sockets of their own',
      },
    )
  },
  { own: false },
)
