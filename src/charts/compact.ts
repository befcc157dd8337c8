const UNITS = ['', 'K', 'M', 'B', 'T']

/** A count in at most five characters, as the texts beside a picture have it: 999, 9.5K, 360K, 1T; beyond that >999T. */
export function compact(count: number): string {
  let amount = Math.round(count)
  for (const unit of UNITS) {
    const shown = unit === '' ? amount : fewDigits(amount)
    if (shown < 1_000) return `${shown}${unit}`
    amount /= 1_000
  }
  return '>999T'
}

/** One digit after the point below 10, as far as it says anything. */
const fewDigits = (amount: number) => (amount < 9.95 ? Math.round(amount * 10) / 10 : Math.round(amount))
