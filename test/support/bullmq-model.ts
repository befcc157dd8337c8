import type { Redis } from 'ioredis'

export interface ModelBounds {
  readonly keep: number
  readonly cutoffMs: number
}

/** What a sweep has to do with a queue's finished jobs, in order of their time. */
export interface Expected {
  readonly gone: readonly string[]
  readonly awaited: readonly string[]
  readonly kept: readonly string[]
}

const PARTS = ['', ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful']

/** Every key that a job has. */
export const keysOf = (base: string, id: string) => PARTS.map((part) => `${base}${id}${part}`)

/** Judges each job by itself, with plain reads and in the words of the rule: what is left of a queue must be what this says. */
export async function expectedOf(
  redis: Redis,
  { base, state, bounds }: { readonly base: string; readonly state: string; readonly bounds: ModelBounds },
): Promise<Expected> {
  const listed = (await redis.call('ZRANGE', `${base}${state}`, '0', '-1', 'WITHSCORES')) as (readonly [
    string,
    string,
  ])[]
  const jobs = listed.map(([id, score]) => ({ id, finishedMs: Number(score) }))
  const expected = { gone: [] as string[], awaited: [] as string[], kept: [] as string[] }
  for (const [at, { id, finishedMs }] of jobs.entries()) {
    const newer = jobs.length - at - 1
    const isDue = newer >= bounds.keep || finishedMs < bounds.cutoffMs
    if (!isDue) expected.kept.push(id)
    else if (await isAwaited(redis, base, id)) expected.awaited.push(id)
    else expected.gone.push(id)
  }
  return expected
}

async function isAwaited(redis: Redis, base: string, id: string): Promise<boolean> {
  const job = await redis.hgetall(`${base}${id}`)
  const scheduler = job['rjk']
  if (scheduler !== undefined) {
    const next = await redis.zscore(`${base}repeat`, scheduler)
    if (next !== null && id === `repeat:${scheduler}:${next}`) return true
  }
  const { parentKey = '' } = job
  if (parentKey === '' || (await redis.exists(parentKey)) === 0) return false
  const children = await redis.smembers(`${parentKey}:dependencies`)
  return children.includes(`${base}${id}`) && (await redis.hget(parentKey, 'finishedOn')) === null
}
