/** Whether a word is an option whose value is the next word. */
const takesValue = (word: string | undefined) => word !== undefined && VALUE_OPTIONS.has(word)
const VALUE_OPTIONS = new Set([
  '--days',
  '--as-of',
  '--max-commands',
  '--file',
  '--count',
  '--organization',
  '--queue',
  '--sample',
  '--to',
  '--url',
  '--png',
])

/** Words after which one more belongs to a command's name. */
const GROUPS = new Set(['sweep', 'orders', 'inngest', 'redis', 'redis queue'])

/** The words that name a command, for an answer to a call that went wrong before or while it ran; null where none does. */
export function commandNamed(args: readonly string[]): string | null {
  const [first, ...words] = args.filter((word, at) => !word.startsWith('-') && !takesValue(args[at - 1]))
  if (first === undefined) return null
  return words.reduce((name, word) => (GROUPS.has(name) ? `${name} ${word}` : name), first)
}
