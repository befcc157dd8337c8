import { Composer, type Context } from 'grammy'
import type { Clock } from '../clock.ts'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import { createTurns } from '../turns.ts'
import { adminsOnly, type IsAdmin } from './admin.ts'
import type { Background } from './background.ts'
import { ignoreUnchanged, isRefusal } from './calls.ts'
import { createUsageShots, type UsageShot } from './usage-shots.ts'
import { captionOf, messageOf, REFRESH, refreshButton } from './usage-text.ts'

/** Where the figures of the month's budget come from, and their picture. */
export interface UsageSource {
  /** The budget as it stands, all instances included. Resolves, with what is known, also where Redis does not answer. */
  report(): Promise<BudgetReport>
  /** What is known of it without asking anybody. Costs no Redis command. */
  known(): BudgetReport
  /** The report as a PNG; undefined where no picture can be made. */
  picture(report: BudgetReport): Promise<Buffer | undefined>
}

export interface UsageDeps {
  readonly usage: UsageSource
  readonly isAdmin: IsAdmin
  readonly background: Background
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** Milliseconds for which a picture serves: whoever sends the command again, and whoever presses the button again. */
const COMMAND_MS = 10 * 60_000
const BUTTON_MS = 15_000

/** The picture may be there all the same: only the answer may have been lost. */
const FAILED = 'Telegram did not answer, so the figures may be missing. Send /usage again.'

const STILL_YOUNG = `These figures are less than ${BUTTON_MS / 1_000} seconds old.`

/** `/usage`, for admins: the month's budget as a picture with a caption, and a button that brings both up to date. */
export function usageCommand(deps: UsageDeps): Composer<Context> {
  const { isAdmin, background, onError } = deps
  const composer = new Composer()
  const shots = createUsageShots(deps)
  const inTurn = createTurns()
  // One after another up to the first upload: whoever comes second finds the picture that the first had made and uploaded.
  // Then nobody waits for a chat that Telegram makes wait.
  const show = (context: Context, youngerThanMs: number, bring: Bring) =>
    background.run(async (signal) => {
      try {
        const shot = await inTurn(async () => {
          if (signal.aborted) return undefined
          const taken = await shots.take(youngerThanMs)
          if (!taken.mustUpload()) return taken
          await bring(context, taken)
          return undefined
        })
        if (shot !== undefined) await bring(context, shot)
      } catch (error) {
        await context.reply(FAILED).catch(onError)
        throw error
      }
    })

  composer.command('usage', adminsOnly(isAdmin), (context) => show(context, COMMAND_MS, post))
  composer.callbackQuery(REFRESH, async (context) => {
    if (!isAdmin(context.from.id)) {
      await context.answerCallbackQuery({
        text: `This is for admins only. Your id is ${context.from.id}.`,
        show_alert: true,
      })
      return
    }
    await context.answerCallbackQuery({ text: shots.isServing(BUTTON_MS) ? STILL_YOUNG : 'Refreshing…' })
    show(context, BUTTON_MS, refresh)
  })
  return composer
}

type Bring = (context: Context, shot: UsageShot) => Promise<void>

const post: Bring = async (context, shot) => {
  const { text, entities } = captionOf(shot.report)
  const isPosted = await shot.deliver((photo) =>
    context.replyWithPhoto(photo, { caption: text, caption_entities: entities, reply_markup: refreshButton() }),
  )
  if (!isPosted) await postText(context, shot)
}

const postText: Bring = async (context, { report }) => {
  const { text, entities } = messageOf(report)
  await context.reply(text, { entities, reply_markup: refreshButton() })
}

/** A text may become a picture. A picture stays as it is when there is no newer one, and the new figures come below it. */
const refresh: Bring = async (context, shot) => {
  const { text, entities } = captionOf(shot.report)
  const isEdited = await shot.deliver((photo) =>
    context
      .editMessageMedia(
        { type: 'photo', media: photo, caption: text, caption_entities: entities },
        { reply_markup: refreshButton() },
      )
      .catch(unlessUnchanged),
  )
  if (isEdited) return
  const isText = context.callbackQuery?.message?.text !== undefined
  if (!isText || !(await editText(context, shot))) await postText(context, shot)
}

/** False when the message cannot be edited. */
async function editText(context: Context, { report }: UsageShot): Promise<boolean> {
  const { text, entities } = messageOf(report)
  try {
    await context.editMessageText(text, { entities, reply_markup: refreshButton() }).catch(ignoreUnchanged)
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}

const unlessUnchanged = (error: unknown): true => {
  ignoreUnchanged(error)
  return true
}
