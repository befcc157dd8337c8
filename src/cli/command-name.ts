/** Whether a word is an option whose value is the next word. */
const takesValue = (word: string | undefined) => word !== undefined && VALUE_OPTIONS.has(word)
const VALUE_OPTIONS = new Set([
  '--days',
  '--as-of',
  '--max-commands',
  '--file',
  '--count',
  '--organization',
  '--sample',
])

/** Commands whose second word is a part of their name. */
const GROUPS = new Set(['sweep', 'orders', 'inngest'])

/** The words that name a command, for an answer to a call that went wrong before or while it ran; null where none does. */
export function commandNamed(args: readonly string[]): string | null {
  const words = args.filter((word, at) => !word.startsWith('-') && !takesValue(args[at - 1]))
  const [first, second] = words
  if (first === undefined) return null
  return GROUPS.has(first) && second !== undefined ? `${first} ${second}` : first
}
