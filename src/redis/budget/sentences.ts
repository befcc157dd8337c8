import { memoryText } from '../status/words.ts'
import { LATE_RESET_MS, type BudgetReport } from './budget-report.ts'
import { dayText } from './day-text.ts'
import { dollars, fewDigits, figure, grouped, percent, short } from './number-text.ts'

/** `359 613 of 500 000 commands used (72 %)`. */
export const headline = ({ used, limit, share }: BudgetReport): string =>
  `${grouped(used)} of ${grouped(limit)} commands used (${percent(share)})`

/** `Day 20 of 30. Forecast for 30 Nov: 539K (518K–561K), limit reached around 28 Nov`; before the first whole day no forecast. */
export function subline(report: BudgetReport): string {
  const { day, month, forecast, isLimitReached } = report
  if (isLimitReached) return `Day ${day} of ${month.length}. The provider refuses every command ${refusalEnd(report)}`
  if (forecast.isEarly)
    return `Day ${day} of ${month.length}. Too early for a forecast: no whole day is counted${earlyLimitText(report)}`
  const range = `${short(forecast.low)}–${short(forecast.high)}`
  const end = `Forecast for ${dayText(month.lastDay)}: ${short(forecast.end)} (${range})`
  return `Day ${day} of ${month.length}. ${end}, ${limitText(report)}`
}

/** Until when the provider refuses commands: `until its reset on 1 Dec`. */
export const refusalEnd = ({ atMs, month }: BudgetReport): string =>
  atMs - month.startMs < LATE_RESET_MS
    ? 'until its own reset, which is due within hours'
    : `until its reset on ${dayText(month.resetsOn)}`

const earlyLimitText = ({ used, limit, forecast }: BudgetReport) =>
  used >= limit && forecast.limitOn !== null ? `, limit reached on ${dayText(forecast.limitOn)}` : ''

function limitText({ used, limit, forecast }: BudgetReport): string {
  const { limitOn, high } = forecast
  if (limitOn !== null) return `limit reached ${used >= limit ? 'on' : 'around'} ${dayText(limitOn)}`
  return high >= limit ? 'perhaps beyond the limit' : 'within the limit'
}

/**
 * Every further fact that is known, each a sentence in plain English: orders, the counter, the price, the provider's figures,
 * the mode. Headline, subline and all of them as a list fit a caption of Telegram, 1 024 UTF-16 units.
 */
export function usageFacts(report: BudgetReport): readonly string[] {
  return [
    modeFact(report),
    orderFact(report),
    tomorrowFact(report),
    resetFact(report),
    ...(report.isEnforced ? [priceFact(report), waysOutFact(report)] : [UNBILLED]),
    providerFact(report),
    storageFact(report),
    // What cannot be read says nothing.
    ...(report.isLimitReached ? [] : [bandwidthFact(report), sinceFact(report), vaguenessFact(report)]),
  ].filter((fact) => fact !== null)
}

const UNBILLED = 'Nobody bills this Redis: there are warnings and a saver mode once a budget is configured.'

function modeFact({ mode, isLimitReached, used, limit }: BudgetReport): string | null {
  if (isLimitReached)
    return `Saver mode: the provider refuses commands, so everything optional has stopped.${used < limit ? TOO_LARGE : ''}`
  return mode === 'saver'
    ? `Saver mode: ${used < limit ? 'almost ' : ''}everything is used, so everything optional has stopped.`
    : null
}

const TOO_LARGE = ' Its plan may allow less than the configured budget.'

function orderFact({ orders: { commandsPerOrder } }: BudgetReport): string {
  if (commandsPerOrder === null) return 'What an order costs is not known before the first order of this month.'
  const commands = commandsPerOrder < 100 ? fewDigits(commandsPerOrder) : figure(commandsPerOrder)
  return `An order took ${commands} ${commands === 1 ? 'command' : 'commands'} so far, everything that Orderly does included.`
}

function tomorrowFact({ days, orders: { tomorrow, usualPerDay } }: BudgetReport): string {
  if (tomorrow === null || usualPerDay === null)
    return 'What tomorrow will cost is not known before a whole day is counted.'
  const orders = Math.round(usualPerDay) === 1 ? '1 order' : `${figure(usualPerDay)} orders`
  const commands = Math.round(tomorrow) === 1 ? '1 command' : `${figure(tomorrow)} commands`
  return `Tomorrow will cost about ${commands} at the usual ${orders}${isShared(days) ? WITH_OTHERS : ''}.`
}

const WITH_OTHERS = ', including what others spend'

/** The days that tomorrow is judged by, and the share of others from which on its number needs a word. */
const [LATEST_DAYS, OTHERS_SHARE] = [7, 0.05]

function isShared(days: BudgetReport['days']): boolean {
  const latest = days.slice(-LATEST_DAYS)
  const byOthers = latest.reduce((sum, { others }) => sum + others, 0)
  const all = latest.reduce((sum, { own, others }) => sum + own + others, 0)
  return byOthers > OTHERS_SHARE * all
}

const resetFact = ({ month }: BudgetReport) =>
  `Deleting saves future commands and space; the count itself cannot be lowered until its reset on ${dayText(month.resetsOn)}.`

function priceFact({ forecast, limit }: BudgetReport): string {
  const beyond = forecast.isEarly ? 0 : forecast.end - limit
  const price =
    beyond > 0
      ? `${short(beyond)} ${beyond === 1 ? 'command' : 'commands'} beyond the limit would cost ${dollars(forecast.costUsd)}`
      : CHEAPEST
  return `${price} if paid as you go; the free plan refuses them.`
}

/** Upstash's pricing page, November 2026. */
const CHEAPEST = '100K commands beyond the limit would cost $0.20'

/** The share of the limit from which on people want to know what to do. */
const NEAR_SHARE = 0.8

const waysOutFact = ({ forecast, limit, share }: BudgetReport) =>
  (forecast.end > limit && !forecast.isEarly) || share >= NEAR_SHARE
    ? 'Ways out: a paid plan, fewer features or a stricter retention.'
    : null

function providerFact({ provider, difference, own }: BudgetReport): string | null {
  if (provider === null) return null
  return difference ?? `The provider counts ${figure(provider.used)} commands, Orderly ${figure(own)}.`
}

function storageFact({ storage }: BudgetReport): string | null {
  if (storage === null) return null
  const { usedBytes, limitBytes } = storage
  const used = `Storage: ${memoryText(usedBytes)}`
  if (limitBytes === null || limitBytes <= 0) return `${used}.`
  return `${used} of ${memoryText(limitBytes)} (${percent(usedBytes / limitBytes)}).`
}

function bandwidthFact({ bandwidth: { sweepBytes, usedBytes } }: BudgetReport): string {
  const read = `Sweeps read ${memoryText(sweepBytes)} this month`
  return usedBytes === null ? `${read}.` : `${read}; all traffic is ${memoryText(usedBytes)}.`
}

/** Counting begins this much later than the month where Orderly is new, or its usage was lost. */
const LATE_MS = 3_600_000

function sinceFact({ countedFrom, month }: BudgetReport): string | null {
  const isLate = Date.parse(countedFrom) - month.startMs > LATE_MS
  return isLate ? `Orderly counts since ${dayText(countedFrom.slice(0, 10))} only.` : null
}

const vaguenessFact = ({ forecast: { isEarly, isFirm } }: BudgetReport) =>
  isEarly || isFirm ? null : 'The forecast is vague until three whole days are counted.'
