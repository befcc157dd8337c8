import { isRedisError, type AppError } from '../../errors.ts'
import type { ServerFacts } from './facts.ts'
import { persistenceRules } from './persistence-lines.ts'
import { serverRules } from './server-lines.ts'
import type { QueueDepth, QueueDepths, StatusLine, Verdict } from './status.ts'
import { fine, needsRight, untold } from './words.ts'

/** What a look at a server means, line by line. */
export function linesOf(facts: ServerFacts): readonly StatusLine[] {
  if (facts.kind === 'memory') return [EMBEDDED]
  if (!facts.hasInfo) return [untold('INFO', needsRight('+info'))]
  return [...serverRules, ...persistenceRules].flatMap((rule) => rule(facts) ?? [])
}

const EMBEDDED: StatusLine = {
  name: 'server',
  value: 'embedded',
  verdict: 'look',
  cure: 'It is empty in every new process. Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL.',
}

/** A line for each queue: the states in which it has jobs. */
export const queueLine = ({ name, states, verdict, cure }: QueueDepth): StatusLine => ({
  name: `queue ${name}`,
  value: depthText(states),
  verdict,
  cure,
})

function depthText(states: QueueDepth['states']): string {
  const told = Object.entries(states).filter(([, count]) => count !== 0)
  return told.map(([state, count]) => `${state} ${count ?? '?'}`).join(', ') || 'no job'
}

/** A line where not every queue is shown, for whoever takes a queue without a line for one that is well. */
export function queuesLine({ queues, leftOut, isSearchWhole }: QueueDepths): StatusLine | undefined {
  if (leftOut === 0 && isSearchWhole) return undefined
  const all = `${isSearchWhole ? '' : 'at least '}${queues.length + leftOut}`
  const ended = isSearchWhole ? '' : '; the search ended before the last key'
  return { name: 'queues', value: `${queues.length} of ${all} shown${ended}`, verdict: 'unknown', cure: NAME_THEM }
}

const NAME_THEM = 'Name those that matter in BULLMQ_QUEUES, up to 500. The sweep then keeps to these, too.'

/** What is said when keys could not be looked at: the right to list them is missing, or the answers ended. */
export const keysUntold = (name: 'key families' | 'queues', error: AppError) =>
  untold(name, isRedisError(error, 'REDIS_REFUSED') ? needsRight('+scan') : error.message)

/** What is said when families of keys could not be weighed. */
export const bytesUntold = (families: number): StatusLine => ({
  ...untold('key families', needsRight('+memory|usage, for all keys (~*)')),
  value: `bytes of ${families} not told`,
})

/** What is said when something took longer than anybody waits. */
export const tooSlow = (name: string): StatusLine => ({
  ...fine(name, 'not counted in time'),
  verdict: 'unknown',
  cure: 'The counting goes on; ask again in a minute.',
})

const weight = { ok: 0, unknown: 1, look: 2, bad: 3 } as const satisfies Record<Verdict, number>

/** The worst first; equal ones keep their order. */
export const byVerdict = (a: { readonly verdict: Verdict }, b: { readonly verdict: Verdict }) =>
  weight[b.verdict] - weight[a.verdict]

/** The worst verdict of lines. */
export const worstOf = (lines: readonly Pick<StatusLine, 'verdict'>[]): Verdict =>
  lines.toSorted(byVerdict)[0]?.verdict ?? 'ok'
