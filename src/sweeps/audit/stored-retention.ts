/** Days that an organization keeps its alerts: its own, null for the usual ones, or something that is no such number. */
export type StoredRetention = number | null | 'refused'

/** Reads what is stored as text: whole days from 1 to 365, and nothing that is only nearly so. */
export function readRetention(stored: string | null): StoredRetention {
  if (stored === null) return null
  if (!/^[1-9]\d{0,2}$/.test(stored)) return 'refused'
  const days = Number(stored)
  return days <= 365 ? days : 'refused'
}
