import { Composer, type Context } from 'grammy'
import type { Clock } from '../clock.ts'
import type { OrderStore } from '../orders/store.ts'
import type { Sweeps } from '../sweeps/registry.ts'
import { adminsOnly, byWhom, type IsAdmin } from './admin.ts'
import type { Background } from './background.ts'
import { isRefusal, untilAnswered } from './calls.ts'
import { readArguments, USAGE } from './cleanup-arguments.ts'
import { confirmButton, decodeConfirmation } from './cleanup-button.ts'
import { openProgress } from './cleanup-progress.ts'
import { cleanOther } from './cleanup-sweep.ts'
import { cleanupText, ordersText } from './cleanup-text.ts'
import { sweepWords } from './sweep-words.ts'

export interface CleanupDeps {
  readonly sweeps: Sweeps
  readonly isAdmin: IsAdmin
  readonly background: Background
  readonly clock: Clock
  readonly store: Pick<OrderStore, 'freshen'>
  /** Held open orders that a cleanup which keeps only today would take with it. Costs no command. */
  readonly countOpenBeforeToday: () => number
  readonly onError: (error: unknown) => void
}

/** `/cleanup [days] [preview]`, `/cleanup <sweep> [days] [preview]` and the buttons that confirm one. */
export function cleanupCommand(deps: CleanupDeps): Composer<Context> {
  const composer = new Composer()
  composer.command('cleanup', adminsOnly(deps.isAdmin), async (context) => {
    const asked = readArguments(context.match)
    if (asked === undefined) {
      await context.reply(USAGE)
      return
    }
    deps.background.run(async () => void (await context.deleteMessage().catch(ignoreRefusal)))
    if (asked.sweep === 'orders') return await cleanOrders(context, asked, deps)
    const isPreview = asked.isPreview || (asked.days !== undefined && sweepWords[asked.sweep].asksAboutDays)
    deps.background.run((signal) => cleanOther(context, { ...asked, isPreview }, { ...deps, signal }))
  })

  composer.on('callback_query:data', async (context, next) => {
    const confirmed = decodeConfirmation(context.callbackQuery.data)
    if (confirmed === undefined) return next()
    const { sweep, days, askedBy, untilMs } = confirmed
    if (!deps.isAdmin(context.from.id) || context.from.id !== askedBy) {
      await context.answerCallbackQuery({ text: 'Only the admin who asked may confirm this.', show_alert: true })
      return
    }
    if (deps.clock() > untilMs) {
      const command = sweep === 'orders' ? '/cleanup' : `/cleanup ${sweep}`
      await context.answerCallbackQuery({ text: `This button has expired. Send ${command} again.`, show_alert: true })
      return
    }
    await context.answerCallbackQuery()
    // The button works once; where it cannot be taken away, a second run finds nothing left to do.
    deps.background.run(async () => void (await context.editMessageReplyMarkup().catch(ignoreRefusal)))
    deps.background.run((signal) =>
      sweep === 'orders'
        ? clean(context, { days, sparesOpen: false }, { ...deps, signal })
        : cleanOther(context, { sweep, days, isPreview: false }, { ...deps, signal }),
    )
  })
  return composer
}

/** Shows, asks or deletes: what somebody wants who sends `/cleanup` for orders. */
async function cleanOrders(context: Context, { days, isPreview }: OrdersAsked, deps: CleanupDeps): Promise<void> {
  const { background, clock } = deps
  if (isPreview) return background.run((signal) => preview(context, days, { ...deps, signal }))
  const openOrders = days === 0 ? await countOpen(deps) : 0
  if (openOrders > 0) {
    const question = `⚠️ This would also delete ${stillOpen(openOrders)}.`
    await context.reply(question, { reply_markup: confirmOrders(context, { days, clock }) })
    return
  }
  // Older ones than those in memory may be open too: they are spared until somebody has said so.
  background.run((signal) => clean(context, { days, sparesOpen: days === 0 }, { ...deps, signal }))
}

interface OrdersAsked {
  readonly days: number
  readonly isPreview: boolean
}

async function countOpen({ store, countOpenBeforeToday }: CleanupDeps): Promise<number> {
  await store.freshen()
  return countOpenBeforeToday()
}

type Running = CleanupDeps & { readonly signal: AbortSignal }

async function preview(context: Context, days: number, { sweeps, clock, signal }: Running): Promise<void> {
  const { report } = await sweeps.orders({ ...byWhom(context), days, dryRun: true, signal })
  const isWorthIt = report.outcome === 'planned' && report.due > 0
  const button = isWorthIt ? { reply_markup: confirmOrders(context, { days, clock }) } : {}
  await untilAnswered(() => context.reply(cleanupText(report), button), signal)
}

/** Posts a progress message, cleans up, and ends with the report in its place. */
async function clean(context: Context, { days, sparesOpen }: Cleaning, deps: Running): Promise<void> {
  const { sweeps, clock, signal } = deps
  const progress = await openProgress(context, { ...deps, text: '🧹 Cleaning up…' })
  const { report } = await sweeps.orders({
    ...byWhom(context),
    days,
    sparesOpen,
    dryRun: false,
    signal,
    onProgress: ({ due, deleted }) => progress.show(`🧹 Cleaning up: ${due} due, ${deleted} deleted so far…`),
  })
  await progress.end(cleanupText(report))
  if (!sparesOpen || report.outcome !== 'done' || report.keptOpen === 0) return
  const question = `⚠️ Kept for now: ${stillOpen(report.keptOpen)}. Delete them too?`
  const button = { reply_markup: confirmOrders(context, { days, clock }) }
  await untilAnswered(() => context.reply(question, button), signal)
}

interface Cleaning {
  readonly days: number
  /** Keeps open orders however old they are, and asks about them afterwards. */
  readonly sparesOpen: boolean
}

const confirmOrders = (context: Context, { days, clock }: { readonly days: number; readonly clock: Clock }) =>
  confirmButton({ sweep: 'orders', days, askedBy: context.from?.id ?? 0, clock })

const stillOpen = (count: number) => `${ordersText(count)} that ${count === 1 ? 'is' : 'are'} still open`

/** A bot may not delete people's messages everywhere; the command then simply stays, as does a button that is gone. */
function ignoreRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error
}
