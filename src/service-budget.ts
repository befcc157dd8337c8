import type { App } from './app.ts'
import { createPainter } from './charts/painter.ts'
import { themes } from './charts/theme.ts'
import { usageChart } from './charts/usage-chart.ts'
import { InterruptedError, isRedisError } from './errors.ts'
import type { Emit } from './events.ts'
import type { Part } from './lifecycle.ts'
import type { BudgetReport, BudgetWarning } from './redis/budget/budget-report.ts'
import { headline, subline } from './redis/budget/sentences.ts'
import type { UsageSource } from './telegram/usage.ts'

export interface ServiceBudgetOptions {
  readonly app: App
  /** Tells every admin; resolves with how many were told, once each was or will never be. */
  readonly warn: (warning: BudgetWarning, report: BudgetReport) => Promise<number>
  readonly emit: Emit
  readonly onError: (error: unknown) => void
}

/** The month's budget as a running service keeps it. */
export interface ServiceBudget {
  readonly part: Part
  readonly usage: UsageSource
  /** Reads what was spent so far, and warns where that is due. Costs what loading the budget costs. @throws RedisError `REDIS_UNREACHABLE` */
  learn(): Promise<void>
  /** The provider has begun to refuse commands: tells people once a month. */
  noteLimit(): void
}

/**
 * Milliseconds between two writes of what was spent: more than the budget wants to have between them, so that a day has at most
 * 85, and with 6 reads, a restart and a month's beginning costs at most 100 commands.
 */
const KEEP_EVERY_MS = 17 * 60_000

export function createServiceBudget({ app, warn, emit, onError }: ServiceBudgetOptions): ServiceBudget {
  const { budget, config } = app
  const painter = createPainter({ onDefect: onError })
  let timer: NodeJS.Timeout | undefined
  let toldOfLimit = ''
  /** Warnings of a month that nobody is there for. */
  const unheard = new Set<string>()

  const unlessDefect = (error: unknown) => {
    if (!isRedisError(error)) throw error
    onError(error)
  }
  // At the end of the service: the next process tells what this one could not.
  const unlessInterrupted = (error: unknown) => {
    if (!(error instanceof InterruptedError)) onError(error)
  }
  const tell = async (warning: BudgetWarning, report: BudgetReport) => {
    const told = await warn(warning, report)
    emit('warn', 'budget.warning', { warning: String(warning), told })
    return told > 0
  }
  /** Leaves the warnings to a later start, which may know an admin; the log tells each once. */
  const noteUnheard = () => {
    const { month } = budget.known()
    for (const warning of budget.dueWarnings()) {
      const name = `${month.name} ${warning}`
      if (!unheard.has(name)) emit('warn', 'budget.warning', { warning: String(warning), told: 0 })
      unheard.add(name)
    }
  }
  const warnWhereDue = async () => {
    if (config.adminIds.length === 0) return noteUnheard()
    for (const { warning, report, noteTold } of await budget.claimWarnings()) {
      const telling = tell(warning, report).then((isTold) => (isTold ? noteTold() : undefined))
      // Not waited for: Telegram may be away for longer than the next write can wait.
      void telling.catch(unlessInterrupted)
    }
  }
  const keep = async () => {
    // What could not be written is written the next time.
    await budget.keep().catch(unlessDefect)
    await warnWhereDue()
  }

  return {
    part: {
      name: 'budget',
      start: async () => {
        timer = setInterval(() => void keep().catch(onError), KEEP_EVERY_MS).unref()
      },
      stop: async () => {
        clearInterval(timer)
        await painter.stop()
        // Those minutes are lost with a store that does not answer.
        await budget.end().catch(unlessDefect)
      },
    },
    usage: {
      report: budget.report,
      known: budget.known,
      picture: (report) =>
        painter.paint(usageChart(report, { title: headline(report), subtitle: subline(report), theme: themes.light })),
    },
    learn: async () => {
      try {
        await budget.load()
        await warnWhereDue()
      } catch (error) {
        // A key that somebody spoiled must not keep the service from starting.
        if (!isRedisError(error) || error.code === 'REDIS_UNREACHABLE') throw error
        onError(error)
      }
    },
    noteLimit: () => {
      const report = budget.known()
      if (toldOfLimit === report.month.name) return
      toldOfLimit = report.month.name
      void tell('limit', report).catch(unlessInterrupted)
    },
  }
}
