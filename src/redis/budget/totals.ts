import type { BudgetReport } from './budget-report.ts'
import type { Counts } from './counts.ts'

/** What was spent in all, by purpose and by command, most first. */
export function totalsOf(counts: Counts): Pick<BudgetReport, 'purposes' | 'commands'> {
  const [purposes, commands] = [new Map<string, number>(), new Map<string, number>()]
  for (const day of Object.values(counts)) {
    for (const [purpose, byName] of Object.entries(day.commands)) {
      for (const [name, count] of Object.entries(byName)) {
        purposes.set(purpose, (purposes.get(purpose) ?? 0) + count)
        commands.set(name, (commands.get(name) ?? 0) + count)
      }
    }
  }
  return { purposes: ranked(purposes), commands: ranked(commands) }
}

const ranked = (counts: ReadonlyMap<string, number>) =>
  [...counts]
    .map(([name, commands]) => ({ name, commands }))
    .toSorted((a, b) => b.commands - a.commands || (a.name < b.name ? -1 : 1))
