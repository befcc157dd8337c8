/** Names that are remembered: bounds the memory to about 40 MB. */
const REMEMBERED = 200_000

/**
 * Tells whether a name comes for the first time, for a scan may bring one twice. Exact for the first 200 000 names; any
 * later one counts as new.
 */
export function createFirstTime(): (name: string) => boolean {
  const seen = new Set<string>()
  return (name) => {
    if (seen.has(name)) return false
    if (seen.size < REMEMBERED) seen.add(name)
    return true
  }
}
