/** What belongs to one number is apart by a narrow space at which no line breaks. */
const APART = '\u202f'

/** A whole number with thousands apart: `359 613`. */
export const grouped = (count: number): string => String(Math.round(count)).replaceAll(/\B(?=(?:\d{3})+$)/g, APART)

const UNITS = ['', 'K', 'M', 'B']
const LAST_UNIT = 'T'

/** A number in a few characters: `950`, `9.5K`, `539K`, `1.2M`. */
export function short(count: number): string {
  let amount = Math.round(count)
  for (const unit of UNITS) {
    const shown = unit === '' ? amount : fewDigits(amount)
    if (shown < 1_000) return `${shown}${unit}`
    amount /= 1_000
  }
  return `${amount < 999.5 ? fewDigits(amount) : grouped(amount)}${LAST_UNIT}`
}

/** One digit after the point below 10, as far as it says anything. */
export const fewDigits = (amount: number): number => (amount < 9.95 ? Math.round(amount * 10) / 10 : Math.round(amount))

/** Whole numbers below this are told to the last digit. */
const MOST_EXACT = 1_000_000_000

/** A whole number to the last digit where there is room for it: `359 613`, `1.2B`. */
export const figure = (count: number): string => (Math.round(count) < MOST_EXACT ? grouped(count) : short(count))

/** A share in percent, before whose sign no line breaks: `72 %`. What is not all is never told as 100 %, and what is not nothing never as 0 %. */
export function percent(share: number): string {
  const rounded = Math.round(share * 100)
  if (share > 0 && rounded === 0) return `under 1${APART}%`
  if (share < 1) return `${Math.min(rounded, 99)}${APART}%`
  return rounded > 999 ? `over 999${APART}%` : `${rounded}${APART}%`
}

/** Dollars: `$0.08`, `$1 234`. */
export function dollars(amount: number): string {
  if (amount > 0 && amount < 0.005) return 'under $0.01'
  return amount < 1_000 ? `$${amount.toFixed(2)}` : `$${figure(amount)}`
}
