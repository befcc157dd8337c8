import type { BudgetReport, BudgetWarning } from '../redis/budget/budget-report.ts'
import { dayText } from '../redis/budget/day-text.ts'
import { dollars, figure, short } from '../redis/budget/number-text.ts'
import { headline, refusalEnd } from '../redis/budget/sentences.ts'

/** A warning of the budget as a message: what happened comes first, then when it ends, what it costs and what helps. */
export const warningText = (warning: BudgetWarning, report: BudgetReport): string =>
  [happening(warning, report), ...outlook(warning, report), '', ...waysOut(warning), '', NO_LOWER].join('\n')

function happening(warning: BudgetWarning, report: BudgetReport): string {
  const { limit, month, forecast } = report
  const reset = dayText(month.resetsOn)
  switch (warning) {
    case 80:
    case 90:
    case 95:
      return `⚠️ The mark of ${warning} % is reached: ${headline(report)}.`
    case 'forecast':
      return `📈 At this pace the month's ${figure(limit)} Redis commands are used up ${around(forecast.limitOn, reset)}.`
    case 'limit':
      return `⛔ The provider's limit is reached: it refuses every Redis command, reads too, ${refusalEnd(report)}.`
    default:
      return warning satisfies never
  }
}

/** What is to be expected until the reset, and what it costs. */
function outlook(warning: BudgetWarning, report: BudgetReport): readonly string[] {
  if (warning === 'limit') return [NOW_REFUSED, `A paid plan ends this at once. ${priceText(report)}`]
  return [paceText(warning, report), `Beyond the limit every command is refused, reads too. ${priceText(report)}`]
}

const NOW_REFUSED =
  'Orders that come in now are answered 503 and are not stored: they are in only once their sender tries again after that. ' +
  'Buttons on cards and cleanups fail until then.'

function paceText(warning: BudgetWarning, { used, limit, month, forecast }: BudgetReport): string {
  const reset = `the counter starts from 0 on ${dayText(month.resetsOn)}`
  if (warning === 'forecast') {
    const [low, end, high] = [forecast.low, forecast.end, forecast.high].map(short)
    return `So far ${figure(used)} are used; by the end of the month it will be about ${end} (${low} to ${high}). Then ${reset}.`
  }
  if (used < limit && forecast.isEarly) return `It is too early to say when the limit is reached; ${reset}.`
  if (forecast.limitOn === null) return `At this pace they last until ${reset}.`
  const reached = used < limit ? 'At this pace the limit is reached around' : 'By this count the limit was reached on'
  return `${reached} ${dayText(forecast.limitOn)}; ${reset}.`
}

const around = (limitOn: string | null, reset: string) =>
  limitOn === null ? `by ${reset}` : `around ${dayText(limitOn)}, before the counter starts from 0 on ${reset}`

function priceText({ forecast: { costUsd, isEarly }, month }: BudgetReport): string {
  const price = `Paid as you go, ${figure(100_000)} commands cost $0.20`
  if (costUsd <= 0 || isEarly) return `${price}.`
  return `${price}: ${dollars(costUsd)} for what goes beyond the limit until ${dayText(month.resetsOn)}.`
}

/** Where every command is refused, spending less helps nobody before the counter starts from 0. */
const waysOut = (warning: BudgetWarning): readonly string[] =>
  warning === 'limit'
    ? ['What helps now:', PAID_PLAN, 'What helps for the next month:', ...SPEND_LESS]
    : ['What helps:', PAID_PLAN, ...SPEND_LESS]

const PAID_PLAN = '• a paid plan'

const SPEND_LESS = [
  '• fewer features: sweeps that run less often, and no other programs on this database',
  '• a stricter retention: with a lower RETENTION_DAYS there is less to load and to look through',
]

const NO_LOWER = 'Deleting orders saves commands to come, and space. It does not lower the counter.'
