import { afterAll, beforeAll } from 'vitest'
import { testRedis, type TestRedis } from './redis-server.ts'
import { openResp, textReply, type RespConnection } from './resp.ts'

/** The Redis of a suite, and a connection past whatever the suite tests. */
export interface SuiteRedis {
  url(): string
  /** Sends commands as their words in one request; replies as `openResp` has them. */
  readonly call: RespConnection['call']
  /** Sends one command; texts of its reply are strings. */
  ask(...words: readonly (string | number)[]): Promise<ReturnType<typeof textReply>>
  flush(): Promise<void>
}

/** Opens a Redis before the tests of the suite that calls it, and stops it after them. */
export function redisOfSuite(): SuiteRedis {
  let server: TestRedis
  let direct: RespConnection
  beforeAll(async () => {
    server = await testRedis()
    direct = await openResp(server.url)
  })
  afterAll(async () => {
    direct.close()
    await server.stop()
  })
  return {
    url: () => server.url,
    call: (commands) => direct.call(commands),
    ask: async (...words) => textReply((await direct.call([words]))[0] ?? null),
    flush: () => server.flush(),
  }
}
