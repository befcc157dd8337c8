import { Buffer } from 'node:buffer'
import type { Clock } from '../../clock.ts'
import type { DeveloperApiConfig } from '../../config.ts'
import { createShared } from '../shared.ts'
import { askJson, type JsonAnswer } from './ask-json.ts'

/** What the provider tells of the database to those who manage it. A figure that is missing or strange is null. */
export interface DeveloperFigures {
  /** When it was told. */
  readonly atMs: number
  /** Commands of the calendar month (UTC). */
  readonly requests: number | null
  /** Of the calendar month (UTC). */
  readonly bandwidthBytes: number | null
  readonly storageBytes: number | null
  readonly storageLimitBytes: number | null
  /** Commands that the plan allows in a month; null also where it sets no limit. */
  readonly requestLimit: number | null
}

/** What came of asking; `why` is a sentence's end in words of ours. */
export type DeveloperAnswer =
  | ({ readonly isTold: true } & DeveloperFigures)
  | { readonly isTold: false; readonly isRefused: boolean; readonly why: string }

/** The provider's developer API, for one database. */
export interface DeveloperApi {
  /**
   * Its figures, asked for at most every 10 minutes (after a failure every minute) and by one request at a time, however many
   * ask. Takes up to 5 s. Costs no Redis command. Never throws.
   */
  look(): Promise<DeveloperAnswer>
}

export interface DeveloperApiOptions {
  readonly clock: Clock
  /** @default Upstash's own */
  readonly address?: string
}

const UPSTASH = 'https://api.upstash.com/v2'
const DEADLINE_MS = 5_000
const KEPT_MS = 10 * 60_000
const FAILURE_KEPT_MS = 60_000

/** Nothing of the credentials, or of what the API answers but its figures, leaves it. Asks nobody until it is asked. */
export function createDeveloperApi(
  { email, apiKey, databaseId }: DeveloperApiConfig,
  { clock, address = UPSTASH }: DeveloperApiOptions,
): DeveloperApi {
  const authorization = `Basic ${Buffer.from(`${email}:${apiKey}`).toString('base64')}`
  const get = (path: string) => askJson(`${address}${path}`, { deadlineMs: DEADLINE_MS, headers: { authorization } })
  const id = encodeURIComponent(databaseId)

  const ask = async (): Promise<DeveloperAnswer> => {
    const [stats, database] = await Promise.all([
      get(`/redis/stats/${id}`),
      get(`/redis/database/${id}?credentials=hide`),
    ])
    return answerOf(stats, database, clock())
  }

  let latest: DeveloperAnswer | undefined
  const shared = createShared(async () => (latest = await ask()), clock)
  return { look: () => shared.within(latest?.isTold === false ? FAILURE_KEPT_MS : KEPT_MS) }
}

/** One of the two answers is enough. */
function answerOf(stats: JsonAnswer, database: JsonAnswer, atMs: number): DeveloperAnswer {
  const [told, plan] = [fieldsOf(stats), fieldsOf(database)]
  if (told === undefined && plan === undefined) return { isTold: false, ...failureOf(stats) }
  return {
    isTold: true,
    atMs,
    requests: figureIn(told, 'total_monthly_requests'),
    bandwidthBytes: figureIn(told, 'total_monthly_bandwidth'),
    storageBytes: figureIn(told, 'current_storage'),
    storageLimitBytes: figureIn(plan, 'db_disk_threshold') || null,
    requestLimit: figureIn(plan, 'db_request_limit') || null,
  }
}

type Fields = ReadonlyMap<string, unknown>

function fieldsOf(answer: JsonAnswer): Fields | undefined {
  if (!answer.isAnswered || answer.status !== 200) return undefined
  const { body } = answer
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? new Map(Object.entries(body)) : undefined
}

function figureIn(fields: Fields | undefined, name: string): number | null {
  const value = fields?.get(name)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function failureOf(answer: JsonAnswer): { readonly isRefused: boolean; readonly why: string } {
  if (!answer.isAnswered) return { isRefused: false, why: answer.why }
  const { status } = answer
  const isRefused = status === 401 || status === 403 || status === 404
  return { isRefused, why: status === 200 ? 'its answer is no object' : `it answered with status ${status}` }
}
