import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ADMIN, aTelegram, GROUP, until, WEBHOOK_SECRET } from '../../test/support/bot-rig.ts'
import { build } from '../../test/support/build.ts'
import { fakeClock } from '../../test/support/clock.ts'
import { freePort } from '../../test/support/free-port.ts'
import { formerBotOrders } from '../../test/support/orders.ts'
import { hasRedisServer, startRedisServer } from '../../test/support/redis-server.ts'
import { openResp } from '../../test/support/resp.ts'
import { startTelegram, type TelegramStandIn } from '../../test/support/telegram.ts'
import { nextMessage } from '../children.ts'
import type { Extent } from '../plan.ts'
import type { UsageAnswer, UsageFigures, UsageJob, UsageOrder } from './talk.ts'

/** Calls of `/usage` in a row: each with a picture of its own, or all with Telegram's copy of one. */
export const usageWays = ['drawn', 'repeated'] as const
export type UsageWay = (typeof usageWays)[number]

export interface UsageRow extends UsageFigures {
  readonly way: UsageWay
  readonly calls: number
  /** Milliseconds from the command to its picture in the chat. */
  readonly msPerCall: number
  /** Pictures that were uploaded. */
  readonly uploads: number
}

/** All that was measured of a service that is asked for its usage. */
export interface UsageMeasured {
  readonly rows: readonly UsageRow[]
  readonly problems: readonly string[]
}

export interface UsageRunOptions {
  readonly extent: Extent
  /** Told of each step. */
  readonly say: (text: string) => void
}

const CALLS: Readonly<Record<Extent, number>> = { short: 50, default: 200, full: 200 }
const NOW = '2025-12-08T09:00:00+01:00'

/** Longer than a picture serves. */
const PAUSE_MS = 11 * 60_000

/** For one picture on a busy machine. */
const CALL_LIMIT_MS = 30_000

/**
 * Asks the built service in a process of its own, with a Redis that holds the former bot's orders and a stand-in of Telegram,
 * again and again for its usage: its clock moves on between two calls, so that each is drawn anew, and then stands.
 *
 * @returns null where redis-server is not installed.
 */
export async function runUsage({ extent, say }: UsageRunOptions): Promise<UsageMeasured | null> {
  if (!hasRedisServer) return null
  build()
  const calls = CALLS[extent]
  const stage = await openStage()
  try {
    const rows: UsageRow[] = []
    for (const way of usageWays) {
      say(`usage: ${calls} calls, ${way}`)
      rows.push(await measure(stage, { way, calls }))
    }
    return { rows, problems: rows.flatMap(problemsOf) }
  } finally {
    await stage.stop()
  }
}

interface Stage {
  readonly telegram: TelegramStandIn
  /** Tells the service something, and resolves with its answer. */
  tell(order: UsageOrder): Promise<UsageAnswer>
  /** Moves the clocks of the service and of Telegram. */
  advance(ms: number): Promise<void>
  stop(): Promise<void>
}

async function openStage(): Promise<Stage> {
  const clock = fakeClock(NOW)
  const [redis, telegram, port] = await Promise.all([startRedisServer(), startTelegram(aTelegram(clock)), freePort()])
  const connection = await openResp(redis.url)
  await connection.call([['MSET', ...formerBotOrders.flatMap(({ key, value }) => [key, value])]])
  connection.close()
  const child = await startService({
    now: NOW,
    env: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.url,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      HOST: '127.0.0.1',
      PORT: String(port),
      REDIS_URL: redis.url,
      ADMIN_IDS: String(ADMIN),
      ORDERS_CHAT_ID: String(GROUP),
      WEBHOOK_SECRET,
    },
  })
  await until(() => telegram.calls.some(({ method, status }) => method === 'setWebhook' && status !== undefined))
  const tell = async (order: UsageOrder) => {
    const answer = nextMessage(child)
    child.send(order)
    return (await answer) as UsageAnswer
  }
  return {
    telegram,
    tell,
    advance: async (ms) => {
      clock.advance(ms)
      await tell({ kind: 'advance', ms })
    },
    stop: async () => {
      child.kill('SIGKILL')
      await telegram.stop()
      await redis.stop()
    },
  }
}

async function startService(job: UsageJob): Promise<ChildProcess> {
  const worker = fileURLToPath(new URL('worker.mjs', import.meta.url))
  const child = fork(worker, [JSON.stringify(job)], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  // Each question waits for its answer, and for the end of the process.
  child.setMaxListeners(0)
  await nextMessage(child)
  return child
}

interface Turn {
  readonly way: UsageWay
  readonly calls: number
}

async function measure({ telegram, tell, advance }: Stage, { way, calls }: Turn): Promise<UsageRow> {
  // What is loaded and compiled once belongs to no call.
  let latest = await askForUsage(telegram)
  let uploads = 0
  await tell({ kind: 'watch' })
  const startedAtMs = performance.now()
  for (let call = 0; call < calls; call += 1) {
    if (way === 'drawn') await advance(PAUSE_MS)
    const fileId = await askForUsage(telegram)
    if (fileId !== latest) uploads += 1
    latest = fileId
  }
  const msPerCall = (performance.now() - startedAtMs) / calls
  const { figures } = await tell({ kind: 'report' })
  if (figures === null) throw new Error('The service of the bench did not say what it measured.')
  return { way, calls, msPerCall, uploads, ...figures }
}

/** Resolves when the picture is in the chat, with its file. A picture that is sent again has the file of the first. */
async function askForUsage(telegram: TelegramStandIn): Promise<string> {
  const latest = () => telegram.chat(ADMIN).messages.findLast(({ photo }) => photo !== undefined)
  const before = latest()?.id
  telegram.say(ADMIN, ADMIN, '/usage')
  const found = await telegram.waitFor(() => {
    const message = latest()
    return message !== undefined && message.id !== before && message
  }, CALL_LIMIT_MS)
  return found.photo?.fileId ?? ''
}

const problemsOf = ({ way, calls, uploads }: UsageRow): readonly string[] => {
  const wanted = way === 'drawn' ? calls : 0
  return uploads === wanted ? [] : [`usage, ${way}: ${uploads} pictures were uploaded, not ${wanted}.`]
}
