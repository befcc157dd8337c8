import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import type { StoreStatus } from '../redis/status/status.ts'
import { bearerHook, routeOff } from './bearer.ts'
import type { Guard } from './guard.ts'
import { budgetMetrics } from './metrics-budget.ts'
import { storeMetrics } from './metrics-stores.ts'
import type { Problem } from './problems.ts'

export interface MetricsDeps {
  readonly token: string
  /** How each Redis is. Must resolve within a few seconds, whatever a Redis does, and cost nothing where commands are billed. */
  readonly stores: () => Promise<readonly StoreStatus[]>
  /** Where the month's budget stands. Must cost nothing. */
  readonly budget: () => Promise<BudgetReport>
}

export interface MetricsParts {
  readonly guard: Guard
  readonly log: Logger
}

/** Adds one kind of metrics to the registry of one scrape. */
type Collect = (registry: Registry) => Promise<void>

/**
 * `GET /metrics` in the text format of Prometheus, 401 without the bearer token. Each scrape has a registry of its own, so that
 * what is gone is not told for ever. What cannot be collected is missing and in the log; the rest is told. Without a token
 * configured: 404.
 */
export const metricsRoute = (metrics: MetricsDeps | undefined, { guard, log }: MetricsParts) => {
  if (metrics === undefined) return routeOff('GET', '/metrics', metricsOff)
  const onRequest = bearerHook(guard, { token: metrics.token, variable: 'API_TOKEN' })
  const collectors: readonly Collect[] = [storeMetrics(metrics.stores), budgetMetrics(metrics.budget)]
  return async (app: FastifyInstance): Promise<void> => {
    app.get('/metrics', { onRequest }, async (_request, reply) => {
      const registry = new Registry()
      for (const ended of await Promise.allSettled(collectors.map((collect) => collect(registry)))) {
        if (ended.status === 'rejected') log.error({ event: 'metrics.failed', err: ended.reason }, 'metrics.failed')
      }
      return reply.type(registry.contentType).send(await registry.metrics())
    })
  }
}

const metricsOff: Problem = { status: 404, code: 'METRICS_OFF', message: 'Set API_TOKEN to read metrics here.' }
