/** Tells whether a number comes for the first time, as far as the latest `capacity` ones are remembered. */
export function createRecent(capacity: number): (value: number) => boolean {
  const seen = new Set<number>()
  return (value) => {
    if (seen.has(value)) return false
    seen.add(value)
    const [oldest] = seen
    if (seen.size > capacity && oldest !== undefined) seen.delete(oldest)
    return true
  }
}
