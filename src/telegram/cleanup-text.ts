import type { SweepReport } from '../sweeps/report.ts'

/** What a cleanup came to, for the chat. The five first lines are what scripts and habits rely on: they never change. */
export function cleanupText(report: SweepReport): string {
  switch (report.outcome) {
    case 'done':
      return [...firstLines(report), ...detailLines(report)].join('\n')
    case 'planned':
      return [
        `🔍 A cleanup that keeps ${daysText(report.days)} would delete ${ordersText(report.due)}.`,
        '',
        ...detailLines(report),
      ].join('\n')
    case 'skipped':
      return `⏳ ${runningText(report.because ?? '')}`
    case 'stopped':
    case 'failed':
      return [
        `⚠️ The cleanup ${report.outcome === 'failed' ? 'failed' : 'stopped early'}: ${report.because ?? 'unknown reason'}`,
        '',
        `📊 Deleted until then: ${ordersText(report.deleted)}`,
        ...detailLines(report),
      ].join('\n')
    default:
      return report.outcome satisfies never
  }
}

function firstLines({ deleted, cutoff }: SweepReport): readonly string[] {
  const date = cutoff.slice(0, 10)
  return [
    '✅ Redis cleanup complete!',
    '',
    `📊 Deleted: ${deleted} orders`,
    `📅 Cutoff date: ${date}`,
    `📅 Kept: Orders from ${date} onwards`,
  ]
}

/** Orderly's own lines; those that would say zero are left out. */
function detailLines({ keptOpen, extendedCutoff, unreadable, commands, billedCommands, durationMs }: SweepReport) {
  const kinds = Object.entries(commands).map(([name, count]) => `${name} ${count}`)
  const lines: string[] = []
  if (keptOpen > 0) lines.push(`🛵 Kept because open: ${keptOpen} (open ones go before ${extendedCutoff.slice(0, 10)})`)
  if (unreadable.count > 0) lines.push(`❓ Unreadable, kept: ${unreadable.count}`)
  if (billedCommands > 0) lines.push(`🧮 Redis commands: ${billedCommands} (${kinds.join(', ')})`)
  lines.push(`⏱ Took ${(durationMs / 1_000).toFixed(1)} s`)
  return lines
}

/** Who started the run that holds the lock: the holder's name is `<trigger> by <user>, started <time>`. */
function runningText(because: string): string {
  const [, trigger, by, at = ''] = /: ([a-z-]+)(?: by (.+))?, started (\S+)\.$/.exec(because) ?? []
  if (trigger === undefined) return `A cleanup is already running. ${because}`
  const who = by === undefined ? `the ${trigger}` : `${by} (${trigger})`
  return `A cleanup is already running, started by ${who} at ${at.slice(0, 16).replace('T', ' ')}.`
}

/** `1 order`, `2 orders`. */
export const ordersText = (count: number) => `${count} order${count === 1 ? '' : 's'}`

const daysText = (days: number) => (days === 0 ? 'only today' : `today and ${days} day${days === 1 ? '' : 's'} before`)
