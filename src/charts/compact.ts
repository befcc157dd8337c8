const UNITS = ['', 'K', 'M', 'B', 'T']
const BEYOND = 999.5e12

/** A count in at most six characters, rounded to three digits: 999, 1.23K, 360K, 12.3M, 1T. */
export function compact(count: number): string {
  if (count >= BEYOND) return '>999T'
  const rounded = count < 1_000 ? Math.round(count) : Number(count.toPrecision(3))
  const unit = Math.floor(Math.log10(Math.max(1, rounded)) / 3)
  return `${Number((rounded / 1_000 ** unit).toPrecision(3))}${UNITS[unit] ?? ''}`
}
