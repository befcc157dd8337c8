/** How much of its first day must have been counted for it to be taken for a whole one. */
const NEARLY_WHOLE = 0.9

/**
 * Of days from the one in which counting began to today those that were counted from their beginning to their end. `from` says
 * when counting began, as a place on the month's line of days.
 */
export function wholeDays<Day>(days: readonly Day[], from: number): readonly Day[] {
  const counted = Math.floor(from) + 1 - from
  return days.slice(counted >= NEARLY_WHOLE ? 0 : 1, -1)
}
