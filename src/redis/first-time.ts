/** Names that are remembered: bounds the memory to about 40 MB. */
export const REMEMBERED_NAMES = 200_000

/**
 * Tells whether a name comes for the first time, for a scan may bring one twice. Exact for the first 200 000 names; any
 * later one counts as new.
 *
 * @param onForgotten told of each new name that is not remembered any more.
 */
export function createFirstTime(onForgotten: () => void = () => undefined): (name: string) => boolean {
  const seen = new Set<string>()
  return (name) => {
    if (seen.has(name)) return false
    if (seen.size < REMEMBERED_NAMES) seen.add(name)
    else onForgotten()
    return true
  }
}
