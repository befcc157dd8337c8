import type { BudgetReport } from '../../src/redis/budget/budget-report.ts'
import type { RunSweep } from '../../src/sweeps/sweep.ts'
import { createTelegram, type Telegram } from '../../src/telegram/bot.ts'
import { ADMIN, aTelegram, OTHER_ADMIN } from '../support/bot-rig.ts'
import { aBudgetReport } from '../support/budget-report.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { png } from '../support/images.ts'
import { createOrderRig, zone } from '../support/order-rig.ts'
import { startTelegram, type ChatMessage, type TelegramStandIn } from '../support/telegram.ts'

/** The real bot, polling some Telegram, with figures and pictures that a test decides on. */
export interface UsageBot {
  readonly bot: Telegram
  readonly clock: FakeClock
  /** What the budget is like, and how a picture of it is made. May be changed at any time. */
  readonly now: Figures
  /** How often figures and pictures were asked for. */
  readonly asked: { reports: number; pictures: number }
  readonly errors: unknown[]
}

/** The same with a stand-in of Telegram. */
export interface UsageRig extends UsageBot {
  readonly telegram: TelegramStandIn
  fromBot(chatId?: number): readonly ChatMessage[]
  /** Has somebody send the command, and resolves with the bot's next message once Telegram has answered all calls. */
  usage(options?: { readonly by?: number; readonly chat?: number }): Promise<ChatMessage>
  /** Resolves once Telegram has answered all calls. */
  untilAnswered(): Promise<unknown>
  /** Calls of these methods, oldest first. */
  calls(...methods: readonly string[]): TelegramStandIn['calls']
  stop(): Promise<void>
}

interface Figures {
  report: BudgetReport
  paint: (report: BudgetReport) => Promise<Buffer | undefined>
  /** Rejects where the figures cannot be read. */
  read: () => Promise<void>
}

const noRun: RunSweep = () => Promise.reject(new Error('No sweep is expected.'))

export interface UsageBotOptions {
  readonly token: string
  readonly apiRoot: string
  readonly adminIds: readonly number[]
}

/** A bot that was not started. */
export function createUsageBot({ token, apiRoot, adminIds }: UsageBotOptions): UsageBot {
  const orders = createOrderRig()
  const { clock } = orders
  const now: Figures = { report: aBudgetReport(), paint: async () => png(1_280, 720), read: async () => undefined }
  const asked = { reports: 0, pictures: 0 }
  const errors: unknown[] = []

  const bot = createTelegram({
    config: { token, apiRoot, publicUrl: undefined, webhookSecret: 'unused', isPreview: false },
    adminIds,
    ordersChatId: undefined,
    zone,
    clock,
    ...orders.instance(),
    sweeps: {
      orders: noRun,
      inngest: undefined,
      alerts: undefined,
      errors: undefined,
      bullmq: undefined,
      executions: undefined,
    },
    undoMs: 0,
    countOpenBeforeToday: () => 0,
    exportFile: () => Promise.reject(new Error('No export is expected.')),
    status: () => ({
      version: '0.0.0-test',
      startedAtMs: clock(),
      instance: 'here',
      store: 'memory',
      isStoreWell: true,
      ordersHeld: 0,
      lastRun: undefined,
      nextSlotMs: undefined,
      billedCommands: 321,
      others: {},
      budget: now.report,
    }),
    redisStatus: async () => [],
    usage: {
      known: () => now.report,
      report: async () => {
        asked.reports += 1
        await now.read()
        return now.report
      },
      picture: async (report) => {
        asked.pictures += 1
        return await now.paint(report)
      },
    },
    onError: (error) => void errors.push(error),
  })
  return { bot, clock, now, asked, errors }
}

/** Such a bot among the people of every rig, each of whom has pressed Start. */
export async function startUsageRig(): Promise<UsageRig> {
  const { people, ...telegramOptions } = aTelegram(fakeClock('2025-12-08T20:00:00+01:00'))
  const hasStarted = people.map((one) => ({ ...one, hasStarted: true }))
  const telegram = await startTelegram({ ...telegramOptions, people: hasStarted })
  const one = createUsageBot({ token: telegram.token, apiRoot: telegram.url, adminIds: [ADMIN, OTHER_ADMIN] })
  await one.bot.start()
  await telegram.waitFor(() => one.bot.isReady(), 10_000)

  const fromBot = (chatId = ADMIN) => telegram.chat(chatId).messages.filter(({ isFromBot }) => isFromBot)
  const untilAnswered = () =>
    telegram.waitFor(
      () => telegram.calls.every(({ method, ms }) => method === 'getUpdates' || ms !== undefined),
      10_000,
    )
  return {
    ...one,
    telegram,
    fromBot,
    usage: async ({ by = ADMIN, chat = by } = {}) => {
      const before = new Set(fromBot(chat).map(({ id }) => id))
      telegram.say(by, chat, '/usage')
      const message = await telegram.waitFor(() => fromBot(chat).find(({ id }) => !before.has(id)), 10_000)
      await untilAnswered()
      return message
    },
    untilAnswered,
    calls: (...methods) => telegram.calls.filter(({ method }) => methods.includes(method)),
    stop: async () => {
      await one.bot.stop()
      await telegram.stop()
    },
  }
}

/** The same budget with more used, so that every text about it is another one. */
export const withMoreUsed = (used: number): BudgetReport => aBudgetReport({ used, share: used / 500_000 })
