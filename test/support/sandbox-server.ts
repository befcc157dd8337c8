import { createHttpServer, type HttpServer } from '../../src/http/server.ts'
import type { HttpTimeouts } from '../../src/http/timeouts.ts'
import { createLog } from '../../src/log.ts'
import { groupsOf, type CastGroups } from '../../src/sandbox/people.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts'
import { fakeClock, type FakeClock } from './clock.ts'

/** A sandbox in the product's own HTTP server, without a bot behind it. */
export interface SandboxServer {
  readonly url: string
  readonly server: HttpServer
  readonly sandbox: Sandbox
  readonly clock: FakeClock
  readonly token: string
  readonly groups: CastGroups
  /** How often it was asked to start over. */
  readonly restarts: () => number
  /** All that was logged. */
  log(): string
  stop(): Promise<void>
}

/** The token of the bot, the webhook's secret and the intake's token: none of them may be seen by a page. */
export const BOT_TOKEN = '1234567:SANDBOXSECRET-token_of_the_bot'
export const HOOK_SECRET = 'SANDBOXSECRET_of_the_webhook'
export const INTAKE_TOKEN = 'SANDBOXSECRET_of_the_intake'

/** Starts a sandbox on a free port of the loopback interface. */
export async function startSandboxServer(
  given: Partial<SandboxOptions> = {},
  timeouts: Partial<HttpTimeouts> = {},
): Promise<SandboxServer> {
  const clock = fakeClock('2025-12-08T20:00:00+01:00')
  const written: string[] = []
  const log = createLog({ level: 'trace', destination: { write: (line) => void written.push(line) } })
  const groups = groupsOf(7)
  let restarts = 0
  const sandbox = createSandbox({
    clock,
    version: '0.0.0-test',
    run: 'a-run',
    storeKind: 'memory',
    token: BOT_TOKEN,
    groups,
    newOrder: () => ({ source: 'sandbox' }),
    handIn: async () => ({ status: 201, id: 'an-order' }),
    restart: () => void (restarts += 1),
    ...given,
  })
  const server = await createHttpServer(
    {
      log,
      clock,
      onPing: () => {},
      readiness: async () => ({ ready: true, because: null }),
      telegram: { secret: HOOK_SECRET, receive: async () => {} },
      intake: { token: INTAKE_TOKEN, receive: () => Promise.reject(new Error('No order is expected.')) },
      sandbox: sandbox.mount,
    },
    timeouts,
  )
  const url = await server.listen('127.0.0.1', 0)
  return {
    url,
    server,
    sandbox,
    clock,
    token: BOT_TOKEN,
    groups,
    restarts: () => restarts,
    log: () => written.join(''),
    stop: async () => {
      await sandbox.stop()
      await server.close()
    },
  }
}
