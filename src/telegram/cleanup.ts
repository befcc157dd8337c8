import { Composer, InlineKeyboard, type Context } from 'grammy'
import type { Clock } from '../clock.ts'
import type { OrderStore } from '../orders/store.ts'
import type { RunSweep } from '../sweeps/sweep.ts'
import { adminsOnly, type IsAdmin } from './admin.ts'
import type { Background } from './background.ts'
import { ignoreUnchanged, isRefusal, untilAnswered } from './calls.ts'
import { cleanupText, ordersText } from './cleanup-text.ts'

export interface CleanupDeps {
  readonly sweep: RunSweep
  readonly isAdmin: IsAdmin
  readonly background: Background
  readonly clock: Clock
  readonly store: Pick<OrderStore, 'freshen'>
  /** Held open orders that a cleanup which keeps only today would take with it. Costs no command. */
  readonly countOpenBeforeToday: () => number
  readonly onError: (error: unknown) => void
}

/** Days that a bare /cleanup keeps before today. */
const DEFAULT_DAYS = 1
const MOST_DAYS = 365

/** Milliseconds for which a button that deletes is valid, and the least between two edits of a progress message. */
const BUTTON_MS = 5 * 60_000
const EDIT_EVERY_MS = 3_000

/** `/cleanup [days] [preview]` and the buttons that confirm one. */
export function cleanupCommand(deps: CleanupDeps): Composer<Context> {
  const composer = new Composer()
  composer.command('cleanup', adminsOnly(deps.isAdmin), async (context) => {
    const asked = readArguments(context.match)
    if (asked === undefined) {
      await context.reply(USAGE)
      return
    }
    deps.background.run(async () => void (await context.deleteMessage().catch(ignoreRefusal)))
    if (asked.isPreview) return deps.background.run((signal) => preview(context, asked.days, { ...deps, signal }))
    const openOrders = asked.days === 0 ? await countOpen(deps) : 0
    if (openOrders > 0) {
      const question = `⚠️ This would also delete ${stillOpen(openOrders)}.`
      await context.reply(question, { reply_markup: confirmButton(context, asked.days, deps) })
      return
    }
    // Older ones than those in memory may be open too: they are spared until somebody has said so.
    const sparesOpen = asked.days === 0
    deps.background.run((signal) => clean(context, { days: asked.days, sparesOpen }, { ...deps, signal }))
  })

  composer.callbackQuery(/^c:(\d{1,3}):(\d{1,15}):(\d{1,12})$/, async (context, next) => {
    const [, days = 0, askedBy, untilSeconds = 0] = context.match
    if (Number(days) > MOST_DAYS) return next()
    if (!deps.isAdmin(context.from.id) || String(context.from.id) !== askedBy) {
      await context.answerCallbackQuery({ text: 'Only the admin who asked may confirm this.', show_alert: true })
      return
    }
    if (deps.clock() > Number(untilSeconds) * 1_000) {
      await context.answerCallbackQuery({ text: 'This button has expired. Send /cleanup again.', show_alert: true })
      return
    }
    await context.answerCallbackQuery()
    // The button works once; where it cannot be taken away, a second run finds nothing left to do.
    deps.background.run(async () => void (await context.editMessageReplyMarkup().catch(ignoreRefusal)))
    deps.background.run((signal) => clean(context, { days: Number(days), sparesOpen: false }, { ...deps, signal }))
  })
  return composer
}

const USAGE = [
  'Usage: /cleanup [days] [preview]',
  '',
  `days is a whole number from 0 to ${MOST_DAYS}: how many days before today are kept (default ${DEFAULT_DAYS}).`,
  'Example: /cleanup 2 preview shows what would be deleted.',
].join('\n')

async function countOpen({ store, countOpenBeforeToday }: CleanupDeps): Promise<number> {
  await store.freshen()
  return countOpenBeforeToday()
}

interface Asked {
  readonly days: number
  readonly isPreview: boolean
}

/** The words after the command; undefined when they are none it knows. */
export function readArguments(text: string): Asked | undefined {
  const match = /^(\d{1,3})?(?:(?:^|\s+)(preview))?$/i.exec(text.trim())
  if (match === null) return undefined
  const days = match[1] === undefined ? DEFAULT_DAYS : Number(match[1])
  return days <= MOST_DAYS ? { days, isPreview: match[2] !== undefined } : undefined
}

function confirmButton(context: Context, days: number, { clock }: CleanupDeps): InlineKeyboard {
  const until = Math.floor((clock() + BUTTON_MS) / 1_000)
  return new InlineKeyboard().text('🗑 Delete them', `c:${days}:${context.from?.id ?? 0}:${until}`)
}

type Running = CleanupDeps & { readonly signal: AbortSignal }

async function preview(context: Context, days: number, deps: Running): Promise<void> {
  const { report } = await deps.sweep({ ...byWhom(context), days, dryRun: true, signal: deps.signal })
  const isWorthIt = report.outcome === 'planned' && report.due > 0
  const button = isWorthIt ? { reply_markup: confirmButton(context, days, deps) } : {}
  await untilAnswered(() => context.reply(cleanupText(report), button), deps.signal)
}

/** Posts a progress message, cleans up, and ends with the report in its place. */
async function clean(context: Context, { days, sparesOpen }: Cleaning, deps: Running): Promise<void> {
  const progress = await openProgress(context, deps)
  const { report } = await deps.sweep({
    ...byWhom(context),
    days,
    sparesOpen,
    dryRun: false,
    signal: deps.signal,
    onProgress: ({ due, deleted }) => progress.show(`🧹 Cleaning up: ${due} due, ${deleted} deleted so far…`),
  })
  await progress.end(cleanupText(report))
  if (!sparesOpen || report.outcome !== 'done' || report.keptOpen === 0) return
  const question = `⚠️ Kept for now: ${stillOpen(report.keptOpen)}. Delete them too?`
  const button = { reply_markup: confirmButton(context, days, deps) }
  await untilAnswered(() => context.reply(question, button), deps.signal)
}

interface Cleaning {
  readonly days: number
  /** Keeps open orders however old they are, and asks about them afterwards. */
  readonly sparesOpen: boolean
}

const stillOpen = (count: number) => `${ordersText(count)} that ${count === 1 ? 'is' : 'are'} still open`

const byWhom = (context: Context) => ({ trigger: 'command' as const, by: String(context.from?.id ?? 'unknown') })

interface ProgressMessage {
  show(text: string): void
  end(text: string): Promise<void>
}

/** A message that is edited as work goes on. Telegram being away holds nothing up; the last text is what must arrive. */
async function openProgress(context: Context, { clock, onError, signal }: Running): Promise<ProgressMessage> {
  const message = await context.reply('🧹 Cleaning up…').catch((error: unknown) => {
    onError(error)
    return undefined
  })
  let isEditing = false
  let editedAtMs = clock()
  let editing: Promise<unknown> = Promise.resolve()
  const edit = async (text: string): Promise<unknown> =>
    message === undefined ? undefined : await context.api.editMessageText(message.chat.id, message.message_id, text)
  /** Whether the message stands there with this text; not when somebody has deleted it. */
  const tryEdit = async (text: string) => {
    try {
      await edit(text).catch(ignoreUnchanged)
      return true
    } catch (error) {
      if (isRefusal(error)) return false
      throw error
    }
  }
  return {
    show: (text) => {
      if (isEditing || clock() - editedAtMs < EDIT_EVERY_MS) return
      isEditing = true
      editing = edit(text)
        .catch(onError)
        .finally(() => {
          isEditing = false
          editedAtMs = clock()
        })
    },
    end: async (text) => {
      await editing
      const isEdited = message !== undefined && (await untilAnswered(() => tryEdit(text), signal))
      if (!isEdited) await untilAnswered(() => context.reply(text), signal)
    },
  }
}

/** A bot may not delete people's messages everywhere; the command then simply stays, as does a button that is gone. */
function ignoreRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error
}
