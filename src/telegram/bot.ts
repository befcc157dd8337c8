import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { autoRetry } from '@grammyjs/auto-retry'
import { Bot, GrammyError, type Context } from 'grammy'
import type { Update } from 'grammy/types'
import type { Clock } from '../clock.ts'
import type { TelegramConfig } from '../config.ts'
import { isRedisError, NotReadyError } from '../errors.ts'
import type { Desk } from '../orders/desk.ts'
import type { Order } from '../orders/fold.ts'
import type { OrderStore } from '../orders/store.ts'
import type { Sweeps } from '../sweeps/registry.ts'
import type { SweepReport } from '../sweeps/report.ts'
import { createIsAdmin } from './admin.ts'
import { createBackground } from './background.ts'
import { createBreakableCalls, isRefusal, untilAnswered } from './calls.ts'
import { createCards } from './cards.ts'
import { cleanupCommand } from './cleanup.ts'
import { cleanupText, isWorthTelling } from './cleanup-text.ts'
import { exportCommand, type ExportedFile } from './export.ts'
import { createNames } from './names.ts'
import { ordersCommand } from './orders.ts'
import { pressHandler } from './presses.ts'
import { createRecent } from './recent.ts'
import { publishCommands, startCommand, unknownText } from './start.ts'
import { redisCommand, type RedisDeps } from './redis.ts'
import { statusCommand, type StatusFacts } from './status.ts'
import { usageCommand, type UsageSource } from './usage.ts'
import { createWarn, type Warn } from './warn.ts'

export interface TelegramOptions {
  readonly config: TelegramConfig
  readonly adminIds: readonly number[]
  readonly ordersChatId: number | undefined
  readonly zone: string
  readonly clock: Clock
  readonly desk: Desk
  readonly store: OrderStore
  readonly sweeps: Sweeps
  readonly undoMs: number
  readonly countOpenBeforeToday: () => number
  readonly exportFile: (signal: AbortSignal) => Promise<ExportedFile>
  readonly status: () => StatusFacts
  readonly redisStatus: RedisDeps['redisStatus']
  readonly usage: UsageSource
  /** Told of failures nobody waits for; must log through the allow-list serializer. */
  readonly onError: (error: unknown) => void
}

/** The bot. What it is told by Telegram arrives through `receive`, or by polling where there is no public address. */
export interface Telegram {
  /** Handles one update. The same update twice is handled once. Throws only while Telegram has not told who we are. */
  receive(update: Update): Promise<void>
  /** Introduces itself to Telegram in the background, trying again until it answers. Resolves at once. */
  start(): Promise<void>
  /** Finishes what runs and stops taking more. */
  stop(): Promise<void>
  /** Brings an order's card up to date in the background; does nothing without an orders chat. */
  show(order: Order): void
  /** Offers the cards that are owed. */
  showOwed(): void
  /** Sends a run's report to every admin in the background, where it is worth a message. */
  announce(report: SweepReport): void
  /**
   * Warns every admin of the month's budget, in the background and as long as it takes. Resolves with
   * how many were told, once each was or Telegram refused to.
   *
   * @throws InterruptedError when the service stops before.
   */
  readonly warn: Warn
  /** Whether Telegram knows us by now. */
  isReady(): boolean
}

/** Seconds that a call of Telegram's API may take. */
const CALL_SECONDS = 15

/** Milliseconds that calls under way may take when the service stops; Telegram may have told them to wait for longer. */
const GRACE_MS = 7_000

/** Milliseconds before each try to reach Telegram at boot; the last repeats. */
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000]

export function createTelegram(options: TelegramOptions): Telegram {
  const { config, adminIds, ordersChatId, clock, store, onError, zone } = options
  const connections = createConnections(config.apiRoot)
  const bot = new Bot(config.token, {
    client: {
      timeoutSeconds: CALL_SECONDS,
      baseFetchConfig: { agent: connections, compress: true },
      ...(config.apiRoot !== undefined && { apiRoot: config.apiRoot }),
    },
  })
  bot.catch(onError)
  bot.api.config.use(autoRetry({ maxRetryAttempts: 2, maxDelaySeconds: 30, rethrowHttpErrors: true }))
  const calls = createBreakableCalls()
  bot.api.config.use(calls.transformer)
  const isAdmin = createIsAdmin(adminIds)
  const background = createBackground(onError)
  const names = createNames(bot.api)
  const tellAdmins = (text: string) =>
    adminIds.forEach((id) =>
      background.run(async (signal) => {
        await untilAnswered(() => bot.api.sendMessage(id, text), signal)
      }),
    )
  const onMove = (to: number) =>
    tellAdmins(
      `The orders chat became a supergroup. Set ORDERS_CHAT_ID to ${to}; until then each restart has to find out.`,
    )
  const cards =
    ordersChatId === undefined
      ? undefined
      : createCards({ ...options, api: bot.api, chatId: ordersChatId, names, onMove })
  const stopping = new AbortController()
  const isNew = createRecent(1_000)
  let isReady = false

  const handlers = bot.errorBoundary(async ({ error, ctx }) => {
    if (isTooLate(error)) return
    onError(error)
    await answerFailure(ctx, error).catch(onError)
  })
  handlers.use(names.remember)
  handlers.on('message:migrate_to_chat_id', (context) => {
    cards?.move(context.chat.id, context.message.migrate_to_chat_id)
  })
  handlers.use(startCommand({ isAdmin, sweeps: options.sweeps }))
  handlers.use(ordersCommand({ isAdmin, store, ordersChatId: () => cards?.chatId() }))
  handlers.use(cleanupCommand({ ...options, isAdmin, background }))
  handlers.use(statusCommand({ isAdmin, status: options.status, zone, clock }))
  handlers.use(redisCommand({ isAdmin, redisStatus: options.redisStatus }))
  handlers.use(usageCommand({ ...options, isAdmin, background }))
  handlers.use(exportCommand({ isAdmin, background, exportFile: options.exportFile }))
  handlers.use(pressHandler({ desk: options.desk, cards, names }))
  handlers.use(unknownText())

  // Not `bot.init`, which tries for ever and could not be stopped.
  const meet = async () => {
    bot.botInfo = await bot.api.getMe()
  }

  const introduce = async () => {
    await meet()
    if (config.publicUrl !== undefined && !config.isPreview) {
      const url = `${config.publicUrl}/telegram/webhook`
      await bot.api.setWebhook(url, { secret_token: config.webhookSecret, allowed_updates: UPDATES })
    }
    if (!config.isPreview) await publishCommands(bot.api, adminIds, onError)
    isReady = true
    cards?.showOwed()
    if (config.publicUrl === undefined && !stopping.signal.aborted) await bot.start({ allowed_updates: UPDATES })
  }

  return {
    isReady: () => isReady,
    show: (order) => cards?.show(order),
    showOwed: () => cards?.showOwed(),
    announce: (report) => {
      if (isWorthTelling(report)) tellAdmins(cleanupText(report))
    },
    warn: createWarn({ api: bot.api, adminIds, background, onError }),
    receive: async (update) => {
      // Until Telegram has told who we are, nothing is handled and nothing counts as seen: it sends the update again.
      if (!bot.isInited()) {
        await meet().catch((error: unknown) => {
          throw new NotReadyError({ cause: error })
        })
      }
      if (!isNew(update.update_id)) return
      await bot.handleUpdate(update).catch(onError)
    },
    start: async () => {
      background.run(() => untilItWorks(introduce, stopping.signal, onError))
    },
    stop: async () => {
      stopping.abort()
      const grace = setTimeout(calls.breakOff, GRACE_MS)
      // Only tells Telegram what was handled; where it cannot be told, it sends that again.
      if (bot.isRunning()) await bot.stop().catch(onError)
      await Promise.all([cards?.stop(), background.stop()])
      clearTimeout(grace)
      connections.destroy()
    },
  }
}

/** Connections of this bot alone: grammY's own ones outlive a bot, and the next one at the same address finds them dead. */
const createConnections = (apiRoot: string | undefined) =>
  apiRoot !== undefined && new URL(apiRoot).protocol === 'http:'
    ? new HttpAgent({ keepAlive: true })
    : new HttpsAgent({ keepAlive: true })

const UPDATES = ['message', 'callback_query'] as const

async function untilItWorks(work: () => Promise<void>, signal: AbortSignal, onError: (error: unknown) => void) {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) return
      onError(error)
      if (error instanceof GrammyError && error.error_code === 401) return
      await sleep(PAUSES_MS[failures] ?? PAUSES_MS.at(-1), undefined, { signal }).catch(() => undefined)
    }
  }
}

/** Whether Telegram did not want the answer to a press any more. What the press asked for was done before. */
const isTooLate = (error: unknown) => isRefusal(error) && error.method === 'answerCallbackQuery'

/** What a person sees when a handler failed: never silence, never details. */
async function answerFailure(context: Context, error: unknown): Promise<void> {
  const what = isRedisError(error) ? 'the store is unreachable' : 'Telegram or the store did not answer'
  const text = `That did not work: ${what}. Nothing was changed by halves; try again.`
  if (context.callbackQuery !== undefined) await context.answerCallbackQuery({ text, show_alert: true })
  else if (context.chat !== undefined) await context.reply(text)
}
