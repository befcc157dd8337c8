import { createApp, type App } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { createBot } from '../../src/service-bot.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'
import type { RunSweep, SweepRequest } from '../../src/sweeps/sweep.ts'
import type { Telegram } from '../../src/telegram/bot.ts'
import type { StatusFacts, SweepFacts } from '../../src/telegram/status.ts'
import { ADMIN, aTelegram, OTHER_ADMIN } from '../support/bot-rig.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { startTelegram, type ChatMessage, type TelegramStandIn } from '../support/telegram.ts'

/** The real bot with orders in memory, polling a stand-in of Telegram, and other sweeps that answer what they are told. */
export interface InngestRig {
  readonly telegram: TelegramStandIn
  readonly bot: Telegram
  readonly app: App
  readonly clock: FakeClock
  /** What was asked of the Inngest sweep, and of the order pruner, oldest first. */
  readonly asked: SweepRequest[]
  readonly askedOfOrders: SweepRequest[]
  /** What was asked of the sweeps over the audit database. */
  readonly askedOfAudit: (SweepRequest & { readonly sweep: 'alerts' | 'errors' })[]
  /** The bot's messages in a chat. */
  fromBot(chatId?: number): readonly ChatMessage[]
  /** Says something, and resolves with the bot's message that fits. */
  answerTo(text: string, options?: AnswerOptions): Promise<ChatMessage>
  stop(): Promise<void>
}

export interface InngestRigOptions {
  /** What a run over Inngest comes to; undefined where none is configured. */
  readonly run: Run | undefined
  /** The same for the sweeps over the audit database. @default none is configured */
  readonly audit?: { readonly alerts: Run; readonly errors: Run }
  readonly facts?: SweepFacts
  readonly alertFacts?: SweepFacts
}

type Run = (request: SweepRequest) => Promise<SweepReport> | SweepReport

interface AnswerOptions {
  readonly by?: number
  readonly chat?: number
  readonly like?: RegExp
}

export async function startInngestRig({ run, audit, facts, alertFacts }: InngestRigOptions): Promise<InngestRig> {
  const clock = fakeClock('2025-12-08T21:00:00+01:00')
  const telegram = await startTelegram(aTelegram(clock))
  const config = readConfig({
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    ADMIN_IDS: `${ADMIN},${OTHER_ADMIN}`,
  })
  if (config.telegram === undefined) throw new Error('A bot needs a token.')
  const log = createLog({ level: 'silent', destination: { write: () => undefined } })
  const app = await createApp(config, log, { clock })
  const asked: SweepRequest[] = []
  const askedOfOrders: SweepRequest[] = []
  const askedOfAudit: (SweepRequest & { readonly sweep: 'alerts' | 'errors' })[] = []

  const sweepOrders: RunSweep = async (request) => {
    askedOfOrders.push(request)
    return await app.sweeps.orders(request)
  }
  const sweepInngest: RunSweep | undefined =
    run &&
    (async (request) => {
      asked.push(request)
      return { report: await run(request), code: null }
    })
  const sweepAudit = (sweep: 'alerts' | 'errors'): RunSweep | undefined => {
    const answer = audit?.[sweep]
    return (
      answer &&
      (async (request) => {
        askedOfAudit.push({ ...request, sweep })
        return { report: await answer(request), code: null }
      })
    )
  }
  const status = (): StatusFacts => ({
    version: '0.0.0-test',
    startedAtMs: clock(),
    instance: 'here',
    store: app.kind,
    isStoreWell: true,
    ordersHeld: 0,
    lastRun: undefined,
    nextSlotMs: undefined,
    billedCommands: 0,
    others: {
      ...(facts !== undefined && { inngest: facts }),
      ...(alertFacts !== undefined && { alerts: alertFacts }),
    },
  })
  const bot = createBot({
    app,
    config: { ...config, telegram: config.telegram },
    sweeps: {
      orders: sweepOrders,
      inngest: sweepInngest,
      alerts: sweepAudit('alerts'),
      errors: sweepAudit('errors'),
      bullmq: undefined,
      executions: undefined,
    },
    status,
    redisStatus: { look: async () => [], figures: async () => [] },
    usage: { report: app.budget.report, known: app.budget.known, picture: async () => undefined },
    onError: () => undefined,
  })
  await bot.start()
  await telegram.waitFor(() => bot.isReady(), 5_000)

  const fromBot = (chatId = ADMIN) => telegram.chat(chatId).messages.filter(({ isFromBot }) => isFromBot)
  return {
    telegram,
    bot,
    app,
    clock,
    asked,
    askedOfOrders,
    askedOfAudit,
    fromBot,
    answerTo: async (text, { by = ADMIN, chat = ADMIN, like = /./ } = {}) => {
      const before = new Set(fromBot(chat).map(({ id }) => id))
      telegram.say(by, chat, text)
      const isAnswer = (one: ChatMessage) => !before.has(one.id) && like.test(one.text)
      return await telegram.waitFor(() => fromBot(chat).find(isAnswer), 5_000)
    },
    stop: async () => {
      await bot.stop()
      await telegram.stop()
      await app.close()
    },
  }
}
