import type { FastifyInstance } from 'fastify'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import { bearerHook, routeOff } from './bearer.ts'
import type { Guard } from './guard.ts'
import type { Problem } from './problems.ts'

export interface UsageDeps {
  readonly token: string
  /** Where the month's budget stands. Must resolve within a few seconds, whatever Redis and the provider do. */
  readonly report: () => Promise<BudgetReport>
}

/**
 * `GET /api/usage`: the report of the budget as JSON, 401 without the bearer token. Without a token configured: 404. Costs what
 * the report costs: at most 1 command in 30 minutes however often it is asked for, and none in saver mode.
 */
export const usageRoute = (usage: UsageDeps | undefined, { guard }: { readonly guard: Guard }) => {
  if (usage === undefined) return routeOff('GET', '/api/usage', apiOff)
  const onRequest = bearerHook(guard, { token: usage.token, variable: 'API_TOKEN' })
  return async (app: FastifyInstance): Promise<void> => {
    app.get('/api/usage', { onRequest }, async () => await usage.report())
  }
}

const apiOff: Problem = { status: 404, code: 'API_OFF', message: 'Set API_TOKEN to read the usage here.' }
