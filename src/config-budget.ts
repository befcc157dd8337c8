import type { NoteMissing, ReadValue } from './config-variables.ts'
import type { BudgetConfig, DeveloperApiConfig } from './config.ts'

/** Commands a month of Upstash's free plan (its pricing page, November 2026). */
const FREE_PLAN = 500_000

/** Reads the month's budget of commands. */
export function readBudget(value: ReadValue, missing: NoteMissing): BudgetConfig {
  const limit = value('COMMAND_BUDGET')
  return {
    limit: limit ?? FREE_PLAN,
    isLimitGiven: limit !== undefined,
    resetDay: value('BUDGET_RESET_DAY') ?? 1,
    developerApi: readDeveloperApi(value, missing),
  }
}

function readDeveloperApi(value: ReadValue, missing: NoteMissing): DeveloperApiConfig | undefined {
  const given = {
    UPSTASH_EMAIL: value('UPSTASH_EMAIL'),
    UPSTASH_API_KEY: value('UPSTASH_API_KEY'),
    UPSTASH_DATABASE_ID: value('UPSTASH_DATABASE_ID'),
  }
  const { UPSTASH_EMAIL: email, UPSTASH_API_KEY: apiKey, UPSTASH_DATABASE_ID: databaseId } = given
  if (email !== undefined && apiKey !== undefined && databaseId !== undefined) return { email, apiKey, databaseId }
  const names = Object.keys(given) as (keyof typeof given)[]
  const set = names.filter((name) => given[name] !== undefined)
  if (set.length > 0) for (const name of names) if (given[name] === undefined) missing(name, `${set.join(' and ')}.`)
  return undefined
}
