import { GrammyError, InputFile } from 'grammy'
import type { Message } from 'grammy/types'
import type { Clock } from '../clock.ts'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import type { UsageSource } from './usage.ts'

/** The budget at one moment, as text and, where one can be made, as a picture: both tell the same figures. */
export interface UsageShot {
  readonly report: BudgetReport
  /**
   * Has the picture sent: by the name of Telegram's own copy, and as an upload where there is none or Telegram does not know
   * it any more. False when there is no picture, or Telegram refuses it.
   *
   * @throws what `send` throws but for refusals.
   */
  deliver(send: SendPhoto): Promise<boolean>
  /** Whether the picture has to be uploaded yet, so that whoever waits for the first delivery spares an upload. */
  mustUpload(): boolean
}

/** Sends or edits a message; resolves with it, or with true where Telegram tells no more. */
export type SendPhoto = (photo: string | InputFile) => Promise<Message | true>

export interface UsageShots {
  /** The latest shot where it is young enough and tells nothing that is not so any more, else a new one. */
  take(youngerThanMs: number): Promise<UsageShot>
  /** Whether the latest shot would serve for that. */
  isServing(youngerThanMs: number): boolean
}

export interface UsageShotsOptions {
  readonly usage: UsageSource
  readonly clock: Clock
  /** Told when a picture could not be made. */
  readonly onError: (error: unknown) => void
}

/** Milliseconds for which a shot without a picture serves: the next one may have a picture. */
const WITHOUT_PICTURE_MS = 15_000

/** Keeps the latest shot in memory, so that a restart forgets it. Shots are to be taken one after another. */
export function createUsageShots({ usage, clock, onError }: UsageShotsOptions): UsageShots {
  let latest: (UsageShot & { readonly atMs: number; readonly servesMs: number }) | undefined
  const paint = (report: BudgetReport) =>
    usage.picture(report).catch((error: unknown) => {
      onError(error)
      return undefined
    })
  const serving = (youngerThanMs: number) => {
    const ageMs = clock() - (latest?.atMs ?? -Infinity)
    const isYoung = ageMs < Math.min(youngerThanMs, latest?.servesMs ?? 0)
    return latest !== undefined && isYoung && isSameState(latest.report, usage.known()) ? latest : undefined
  }
  return {
    take: async (youngerThanMs) => {
      const still = serving(youngerThanMs)
      if (still !== undefined) return still
      const report = await usage.report()
      const png = await paint(report)
      const servesMs = png === undefined ? WITHOUT_PICTURE_MS : Infinity
      latest = { report, atMs: clock(), servesMs, ...createDelivery(png) }
      return latest
    },
    isServing: (youngerThanMs) => serving(youngerThanMs) !== undefined,
  }
}

/** What must not be hidden by an older picture, however young it is. */
const isSameState = (one: BudgetReport, other: BudgetReport) =>
  one.mode === other.mode && one.isLimitReached === other.isLimitReached && one.month.name === other.month.name

function createDelivery(png: Buffer | undefined): Pick<UsageShot, 'deliver' | 'mustUpload'> {
  let fileId: string | undefined
  return {
    mustUpload: () => png !== undefined && fileId === undefined,
    deliver: async (send) => {
      if (png === undefined) return false
      if (fileId !== undefined && (await unlessRefused(send(fileId))) !== undefined) return true
      const sent = await unlessRefused(send(new InputFile(png, 'usage.png')))
      // The last of the sizes that Telegram makes is the largest.
      fileId = typeof sent === 'object' ? sent.photo?.at(-1)?.file_id : undefined
      return sent !== undefined
    },
  }
}

/** Undefined for a photo that Telegram does not want; whoever may not be written to at all is another matter. */
const unlessRefused = (sending: Promise<Message | true>): Promise<Message | true | undefined> =>
  sending.catch((error: unknown) => {
    if (error instanceof GrammyError && error.error_code === 400) return undefined
    throw error
  })
