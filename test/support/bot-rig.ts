import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { createService, type Service } from '../../src/service.ts'
import { freePort } from './free-port.ts'
import { billedIn } from './billing.ts'
import { fakeClock, type FakeClock } from './clock.ts'
import { anIntake, formerBotOrders } from './orders.ts'
import { startRedisServer, type RedisServer, type RedisServerOptions } from './redis-server.ts'
import { openResp, textReply } from './resp.ts'
import { startTelegram, type TelegramOptions, type TelegramStandIn } from './telegram.ts'

export const ADMIN = 11
export const OTHER_ADMIN = 22
export const RIDER = 33
export const STRANGER = 44
/** The orders chat: a group whose members see all cards. */
export const GROUP = -4400
/** A supergroup in which the bot is an admin. */
export const OFFICE = -1_001_234_567_890

const INTAKE_TOKEN = 'INTAKESECRET-0123456789'
export const WEBHOOK_SECRET = 'WEBHOOKSECRET_1'

export interface ServiceRigOptions {
  /** @default 21:00 in Passau on 8 December 2025 */
  readonly now?: string
  /** Over the variables of the rig; an empty one is not set. */
  readonly env?: Readonly<Record<string, string>>
  readonly telegram?: Partial<TelegramOptions>
  readonly redis?: RedisServerOptions
  /** The orders that the former bot left behind. @default false */
  readonly hasFormerOrders?: boolean
  /** Whether the service is started, and waited for. @default true */
  readonly isStarted?: boolean
}

/** The real service on a real Redis, a stand-in of Telegram, and one clock for all of them. */
export interface ServiceRig {
  readonly telegram: TelegramStandIn
  readonly redis: RedisServer
  readonly clock: FakeClock
  /** The services under way, the latest last. */
  readonly services: Service[]
  /** The variables of a service of this rig, but for where it listens. */
  readonly env: Readonly<Record<string, string>>
  /** The address of the service that was started last. */
  url(): string
  /** Starts a service on the same Redis and Telegram; resolves when both know it. */
  start(env?: Readonly<Record<string, string>>): Promise<Service>
  /** The same without waiting for anything. */
  begin(env?: Readonly<Record<string, string>>): Promise<Service>
  /** Asks Redis, past the service. */
  ask(...command: readonly string[]): Promise<unknown>
  /** The stored value of an order. */
  stored(id: string): Promise<string>
  /** Hands an order in; resolves with status and id. */
  receive(
    fields?: Readonly<Record<string, unknown>>,
    url?: string,
  ): Promise<{ readonly status: number; readonly id: string }>
  /** Posts any body to the webhook, with the right secret unless told otherwise. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** All that the services wrote to their logs. */
  log(): string
  /** Billed commands of the server since the latest `redis.resetStats()`, by name. */
  billed(): Promise<Readonly<Record<string, number>>>
  stop(): Promise<void>
}

export async function startServiceRig(options: ServiceRigOptions = {}): Promise<ServiceRig> {
  const { now = '2025-12-08T21:00:00+01:00', env = {}, hasFormerOrders = false, isStarted = true } = options
  const clock = fakeClock(now)
  const [redis, telegram] = await Promise.all([
    startRedisServer(options.redis),
    startTelegram(aTelegram(clock, options.telegram)),
  ])
  const connection = await openResp(redis.url)
  const services: Service[] = []
  const written: string[] = []
  const log = createLog({ level: 'trace', destination: { write: (line) => void written.push(line) } })

  if (hasFormerOrders) {
    await connection.call([['MSET', ...formerBotOrders.flatMap(({ key, value }) => [key, value])]])
  }

  const variables = {
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    HOST: '127.0.0.1',
    REDIS_URL: redis.url,
    ADMIN_IDS: `${ADMIN},${OTHER_ADMIN}`,
    ORDERS_CHAT_ID: String(GROUP),
    INTAKE_TOKEN,
    WEBHOOK_SECRET,
    ...env,
  }

  const begin = async (more: Readonly<Record<string, string>> = {}) => {
    const port = await freePort()
    const address = { PUBLIC_URL: `http://127.0.0.1:${port}`, PORT: String(port) }
    const config = readConfig({ ...variables, ...address, ...more })
    const service = await createService({ config, log, version: '0.0.0-test', clock })
    services.push(service)
    await service.start()
    return service
  }

  const rig: ServiceRig = {
    telegram,
    redis,
    clock,
    services,
    env: variables,
    url: () => services.at(-1)?.url() ?? '',
    begin,
    start: async (more) => {
      const introduced = countIntroductions(telegram)
      await redis.resetStats()
      const service = await begin(more)
      await telegram.waitFor(() => countIntroductions(telegram) > introduced, 5_000)
      await until(async () => hasBooted(await redis.stats()))
      return service
    },
    ask: async (...command) => (await connection.call([command])).map(textReply)[0],
    stored: async (id) => String(await rig.ask('GET', `order:${id}`)),
    receive: async (fields = {}, url = rig.url()) => {
      const response = await fetch(`${url}/intake/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${INTAKE_TOKEN}` },
        body: JSON.stringify(anIntake(fields)),
      })
      const { id = '' } = (await response.json()) as { id?: string }
      return { status: response.status, id }
    },
    post: (body, headers = {}) =>
      fetch(`${rig.url()}/telegram/webhook`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-telegram-bot-api-secret-token': WEBHOOK_SECRET,
          ...headers,
        },
        body,
      }),
    log: () => written.join(''),
    billed: async () => billedIn(await redis.stats()),
    stop: async () => {
      for (const service of services) await service.stop()
      await telegram.stop()
      connection.close()
      await redis.stop()
    },
  }
  if (isStarted) await rig.start()
  return rig
}

/** The people and groups of every rig. */
export const aTelegram = (clock: FakeClock, given: Partial<TelegramOptions> = {}): TelegramOptions => ({
  clock,
  resendMs: [0, 50],
  chats: [
    { id: GROUP, title: 'Riders', members: [ADMIN, RIDER, STRANGER], owner: ADMIN },
    { id: OFFICE, title: 'Office', members: [ADMIN, STRANGER], admins: [ADMIN], botIsAdmin: true },
  ],
  people: [
    { id: ADMIN, firstName: 'Anna' },
    { id: OTHER_ADMIN, firstName: 'Ben', hasStarted: false },
    { id: RIDER, firstName: 'Rita' },
    { id: STRANGER, firstName: 'Eve' },
  ],
  ...given,
})

/** The admins' commands are published last. */
const countIntroductions = ({ calls }: TelegramStandIn) =>
  calls.filter(({ method, params, status }) => {
    const isLast = JSON.stringify(params).includes(String(OTHER_ADMIN))
    return method === 'setMyCommands' && isLast && status !== undefined
  }).length

/** A boot ends with reading the history; the schedule reads its slot, and writes it at the very first boot. */
const hasBooted = ({ XREVRANGE = 0, GET = 0 }: Readonly<Record<string, number>>) => XREVRANGE > 0 && GET > 0

/** Asks every few milliseconds until it holds, for five seconds at most. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await holds()); tries += 1) {
    if (tries > 500) throw new Error(`It did not come to hold within five seconds: ${String(holds)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
