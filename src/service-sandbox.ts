import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Clock } from './clock.ts'
import type { Config, ServiceConfig } from './config.ts'
import { ConfigError } from './errors.ts'
import type { Transport } from './redis/transport.ts'
import { isLoopbackHost } from './sandbox/gate.ts'
import { createNewOrders } from './sandbox/new-order.ts'
import { asha, groupsOf, type CastGroups } from './sandbox/people.ts'
import { createSandbox, type IntakeAnswer, type Sandbox } from './sandbox/sandbox.ts'
import { seedStory } from './sandbox/story.ts'

export interface ServiceSandboxOptions {
  readonly config: Config
  readonly clock: Clock
  readonly version: string
  /** Asked to start the whole service anew. */
  readonly onStartOver: () => void
}

/** The sandbox of a service without a token. */
export interface ServiceSandbox extends Pick<Sandbox, 'mount' | 'stop'> {
  /** The configuration with which the service takes the sandbox for Telegram. */
  readonly config: ServiceConfig
  /** Puts the story's orders in, those that are there already aside. Costs at most 225 commands. */
  readonly tellStory: (send: Transport) => Promise<void>
}

/**
 * Sets a sandbox up. Takes a free port for port 0, because the bot has to know the address of its Telegram before anybody
 * listens there.
 *
 * @throws ConfigError where no sandbox may run: in production, and at an address that others reach.
 */
export async function createServiceSandbox(options: ServiceSandboxOptions): Promise<ServiceSandbox> {
  const { clock, version, onStartOver } = options
  checkPlace(options.config)
  // Cards are noted on orders with their chat's id: a store that outlives the process must not find an earlier chat again.
  const groups = groupsOf(randomInt(2 ** 38))
  const config = await withSandbox(options.config, groups)
  const { telegram, intakeToken, redis, zone } = config
  const run = randomBytes(8).toString('hex')
  const newOrders = createNewOrders({ clock, zone, run })

  const sandbox = createSandbox({
    clock,
    version,
    run,
    groups,
    storeKind: redis.kind,
    token: telegram.token,
    newOrder: newOrders.next,
    handIn: (order) => handIn(`${telegram.publicUrl}/intake/orders`, intakeToken, order),
    restart: onStartOver,
  })
  return {
    config,
    mount: sandbox.mount,
    stop: sandbox.stop,
    tellStory: async (send) => {
      const { seeded, existing } = await seedStory(send, { nowMs: clock(), zone })
      sandbox.noteSeeded(seeded + existing)
    },
  }
}

/** Reports every problem at once. */
function checkPlace({ isProduction, host }: Config): void {
  const problems = [
    ...(isProduction ? ['TELEGRAM_BOT_TOKEN is required where NODE_ENV is production, or RENDER is set.'] : []),
    ...(isLoopbackHost(host)
      ? []
      : ['HOST must be 127.0.0.1, localhost or ::1 without TELEGRAM_BOT_TOKEN: the sandbox has no login.']),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
}

type SandboxConfig = ServiceConfig & { readonly intakeToken: string }

async function withSandbox(config: Config, { dispatch }: CastGroups): Promise<SandboxConfig> {
  const host = config.host.includes(':') ? `[${config.host}]` : '127.0.0.1'
  const port = config.port === 0 ? await findFreePort(config.host) : config.port
  const publicUrl = `http://${host}:${port}`
  return {
    ...config,
    // Nothing real is touched from where anybody who looks around is an admin.
    inngest: undefined,
    audit: undefined,
    bullmq: undefined,
    executions: undefined,
    budget: { ...config.budget, developerApi: undefined },
    engine: undefined,
    scheduler: 'local',
    port,
    adminIds: [asha.id],
    ordersChatId: dispatch.id,
    intakeToken: config.intakeToken ?? randomName(),
    telegram: {
      token: `${randomInt(1_000_000, 2_000_000_000)}:${randomName()}`,
      apiRoot: `${publicUrl}/sandbox`,
      publicUrl,
      webhookSecret: randomName(),
      isPreview: false,
    },
  }
}

const randomName = () => randomBytes(24).toString('base64url')

async function findFreePort(host: string): Promise<number> {
  const server = createServer().listen(0, host === 'localhost' ? '127.0.0.1' : host)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Lets an order in as any shop would. */
async function handIn(url: string, token: string, order: object): Promise<IntakeAnswer> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  try {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(order) })
    const { id, error } = (await response.json()) as { id?: string; error?: { message?: string } }
    if (id !== undefined) return { status: response.status, id }
    return { status: response.status, problem: error?.message ?? 'The order was not taken in.' }
  } catch {
    return { problem: 'Nobody answered: the service is starting over or stopping.' }
  }
}
