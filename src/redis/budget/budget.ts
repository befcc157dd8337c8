import { setTimeout as sleep } from 'node:timers/promises'
import { eachMinute, type Clock } from '../../clock.ts'
import type { BudgetConfig } from '../../config.ts'
import { unlessRedis } from '../../errors.ts'
import { createShared } from '../shared.ts'
import type { Connection, Transport } from '../transport.ts'
import type { BudgetReport, BudgetWarning } from './budget-report.ts'
import { createClaims } from './claims.ts'
import { composeReport } from './compose-report.ts'
import { createDeveloperApi } from './developer-api.ts'
import type { LimitWatch } from './limit-watch.ts'
import { createProvider, type ProviderFigures } from './provider.ts'
import { createUsage, type Usage } from './usage.ts'
import { dueWarnings } from './warnings.ts'

/** A warning that is this process's to send. */
export interface ClaimedWarning {
  readonly warning: BudgetWarning
  readonly report: BudgetReport
  /** To be called once people were told, or the next process tells them too. Costs 1 command, 1 more for each lesser warning. */
  noteTold(): Promise<void>
}

/** The month's budget of billed commands of Orderly's own Redis, over all instances. */
export interface Budget extends Pick<Usage, 'charge' | 'noteOrder' | 'noteSweepBytes'> {
  /**
   * Reads what was spent so far. Costs 1 command, 2 in the first 14 days of a month in which nobody has written.
   *
   * @throws RedisError
   */
  load(): Promise<void>
  /**
   * Writes what was spent, at most every 15 minutes, reads what others spent, every 4 hours, and asks the provider. Costs 1
   * command for each of both, 2 for the first write in a month, 0 in saver mode.
   *
   * @throws RedisError
   */
  keep(): Promise<void>
  /** Writes for the last time, however short a time ago it was written. Costs the same. @throws RedisError */
  end(): Promise<void>
  /** Where the budget stands by what is known already. Costs nothing. */
  known(): BudgetReport
  /**
   * Where the budget stands, with what other instances wrote. Costs 1 command at most every 30 minutes, 0 in saver mode.
   * Resolves within 4 s: where Redis or the provider do not answer by then, it is what is known.
   */
  report(): Promise<BudgetReport>
  /** Whether everything optional stops. Costs nothing. */
  isSaving(): boolean
  /** The warnings that are due and that nobody has taken, as far as known. Costs nothing. */
  dueWarnings(): readonly BudgetWarning[]
  /**
   * Takes the warnings that are due and that nobody has taken. Costs 1 command for each of them, and is
   * none at the provider's limit. @throws RedisError
   */
  claimWarnings(): Promise<readonly ClaimedWarning[]>
}

/** Milliseconds for which what other instances wrote is fresh enough for a person: each writes every quarter of an hour. */
const FRESH_MS = 30 * 60_000

/** The same where nobody asks, but warnings and saver mode must follow from it. */
const KNOWN_MS = 4 * 3_600_000

/** Milliseconds after which a provider that refused may be asked whether it still does. */
const REFUSED_MS = 10 * 60_000

/** Milliseconds that a person waits for what others know. */
const PATIENCE_MS = 4_000

export interface BudgetOptions {
  /** To Orderly's own Redis, charged to `usage`. */
  readonly send: Transport
  /** Whoever is reached over REST bills, whatever it tells of itself. */
  readonly kind: Connection['kind']
  readonly limit: Pick<LimitWatch, 'isReached'>
  readonly config: BudgetConfig
  readonly clock: Clock
  readonly zone: string
}

/** Puts the budget together. Asks nobody until it is asked. */
export function createBudget({ send, kind, limit, config, clock, zone }: BudgetOptions): Budget {
  const { resetDay, developerApi } = config
  const usage = createUsage({ send, clock, zone, resetDay })
  const claims = createClaims({ usage, clock, limit: config.limit })
  const provider = createProvider({
    send,
    clock,
    usage,
    resetDay,
    ...(developerApi !== undefined && { developerApi: createDeveloperApi(developerApi, { clock }) }),
  })
  let latest: { readonly month: string; readonly figures: ProviderFigures } | undefined
  const figuresOf = (month: string) => (latest?.month === month ? latest.figures : null)
  const known = () => {
    const ours = usage.known()
    const parts = { usage: ours, provider: figuresOf(ours.month.name), isLimitReached: limit.isReached() }
    const isEnforced = config.isLimitGiven || kind === 'upstash' || !provider.isUnbilled()
    return composeReport({ ...parts, limit: config.limit, isEnforced, nowMs: clock(), zone })
  }
  const mode = eachMinute(clock, () => known().mode)
  const isSaving = () => limit.isReached() || mode() === 'saver'
  let isLoaded = false
  const others = createShared(async () => {
    await (isLoaded ? usage.reload() : usage.load())
    isLoaded = true
  }, clock)
  const look = async () => {
    const { name: month } = usage.known().month
    const told = await provider.look()
    if (told !== null) latest = { month, figures: told }
  }

  /** Only a command that is carried out tells that the provider carries them out again; it bills none that it refuses. */
  const askAgain = async () => {
    if (limit.isReached()) await others.within(REFUSED_MS).catch(unlessRedis)
  }

  /** None at the provider's limit: then no instance can ask another. */
  const due = (report: BudgetReport) =>
    limit.isReached() ? { send: [], mark: [] } : dueWarnings(report, claims.isTaken)

  return {
    charge: usage.charge,
    noteOrder: usage.noteOrder,
    noteSweepBytes: usage.noteSweepBytes,
    known,
    isSaving,
    load: async () => {
      await others.within(0)
      await look()
    },
    keep: async () => {
      if (!isSaving()) {
        await usage.write()
        await others.within(KNOWN_MS)
      }
      await askAgain()
      await look()
    },
    end: async () => {
      // Also in saver mode, or nobody would know of it after the next start.
      if (!limit.isReached()) await usage.write({ isFinal: true })
    },
    report: async () => {
      const read = isSaving() ? askAgain() : others.within(FRESH_MS).catch(unlessRedis)
      await Promise.race([Promise.all([read, look()]), sleep(PATIENCE_MS, undefined, { ref: false })])
      return known()
    },
    dueWarnings: () => due(known()).send,
    claimWarnings: async () => {
      const report = known()
      const { mark, send: news } = due(report)
      const claimed: ClaimedWarning[] = []
      const taken: BudgetWarning[] = []
      const noteTold = async () => {
        for (const warning of taken) await claims.noteTold(warning)
      }
      // One after the other: a failure must leave the later ones for the next time.
      for (const warning of mark) {
        if (!(await claims.take(warning))) continue
        taken.push(warning)
        if (news.includes(warning)) claimed.push({ warning, report, noteTold })
      }
      return claimed
    },
  }
}
