import { InlineKeyboard } from 'grammy'
import type { MessageEntity } from 'grammy/types'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import { headline, subline, usageFacts } from '../redis/budget/sentences.ts'
import { cut } from './text.ts'

/** A text and what stands out in it. */
export interface UsageText {
  readonly text: string
  readonly entities: MessageEntity[]
}

/** What Telegram takes below a picture, in UTF-16 units. */
const MOST_CAPTION_UNITS = 1_024

/** What the button below the figures carries. */
export const REFRESH = 'usage:refresh'

/** The button below the figures. */
export const refreshButton = () => new InlineKeyboard().text('Refresh', REFRESH)

/** The figures as a picture's caption, the first sentence in bold. What does not fit is cut, the time never. */
export const captionOf = (report: BudgetReport): UsageText => textOf(report, MOST_CAPTION_UNITS)

/** The same as a message of its own. */
export const messageOf = (report: BudgetReport): UsageText => textOf(report)

function textOf(report: BudgetReport, most?: number): UsageText {
  const first = headline(report)
  const facts = usageFacts(report).map((fact) => `• ${fact}`)
  const end = `\n\nAs of ${report.at.slice(11, 16)}.`
  const body = [first, subline(report), '', ...facts].join('\n')
  const text = most === undefined ? cut(`${body}${end}`) : `${cut(body, most - end.length)}${end}`
  return { text, entities: [{ type: 'bold', offset: 0, length: first.length }] }
}
