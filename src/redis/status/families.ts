import { isRedisError, RedisError } from '../../errors.ts'
import { isMangled } from '../scan.ts'
import { ask, listOf, textOf, type Command, type Transport } from '../transport.ts'
import type { KeyFamilies, KeyFamily } from './status.ts'
import { familyOf } from './family-name.ts'

/** How much a look at the keys may cost. */
export interface SampleSize {
  /** SCAN calls, of 1 000 keys each. */
  readonly pages: number
  /** MEMORY USAGE calls. */
  readonly samples: number
}

/**
 * On a server of one's own, milliseconds of its time. Keys stand in the order of their hashes, so that the first 20 000 are a
 * fair sample of any number, and nobody needs to walk through the rest.
 */
export const OWN_SAMPLE: SampleSize = { pages: 20, samples: 500 }

/** Where each command is billed: at most 51, a ten-thousandth of a free plan's month. */
export const BILLED_SAMPLE: SampleSize = { pages: 1, samples: 50 }

export interface SampleOptions extends SampleSize {
  /** Keys of the database; null where nobody knows. */
  readonly totalKeys: number | null
  /** What the keys of queues begin with, without the colon: of these a family is one queue. */
  readonly queuePrefixes: readonly string[]
}

export interface SampledFamilies {
  readonly families: KeyFamilies
  /** How many families the server refused to weigh, of all that were met. */
  readonly unweighed: number
}

/** MEMORY USAGE calls of one request: other clients are served in between. */
const CALLS_A_REQUEST = 100

const MOST_FAMILIES = 12

/**
 * The families of keys that take the most memory, extrapolated from a sample. Costs at most `pages` SCAN and `samples` MEMORY
 * USAGE; at most 100 of the latter where the server refuses each.
 *
 * @throws RedisError when keys may not be listed or there was no answer.
 */
export async function sampleFamilies(send: Transport, options: SampleOptions): Promise<SampledFamilies> {
  const { keys, isComplete } = await firstKeys(send, options.pages)
  const families = new Map<string, Family>()
  for (const key of keys) {
    const name = familyOf(key, options.queuePrefixes)
    const family = families.get(name) ?? { name, keys: [], bytes: [], refusals: 0 }
    family.keys.push(key)
    families.set(name, family)
  }
  const isTold = await weigh(send, [...families.values()], options.samples)
  const factor = isComplete || keys.size === 0 ? 1 : Math.max(1, (options.totalKeys ?? keys.size) / keys.size)
  const all = [...families.values()].map((family) => extrapolated(family, factor)).toSorted(byWeight)
  return {
    families: {
      largest: all.slice(0, MOST_FAMILIES),
      others: Math.max(0, all.length - MOST_FAMILIES),
      isEstimate: !isComplete,
    },
    unweighed: [...families.values()].filter((family) => isRefused(family) || !isTold).length,
  }
}

interface Family {
  readonly name: string
  readonly keys: string[]
  /** Of the keys that were weighed. */
  readonly bytes: number[]
  /** Weighings that the server refused. */
  refusals: number
}

/** Not `scanPages`, which asks for the next page before this one is looked at: where each is billed, that is one too many. */
async function firstKeys(send: Transport, pages: number) {
  const keys = new Set<string>()
  let cursor = '0'
  for (let page = 0; page < pages; page += 1) {
    // One page after another: the cursor of the next is in the answer.
    const [next = null, found = null] = listOf(await ask(send, ['SCAN', cursor, 'COUNT', 1_000]))
    for (const key of listOf(found)) keys.add(textOf(key))
    cursor = textOf(next)
    if (cursor === '0') return { keys, isComplete: true }
  }
  return { keys, isComplete: false }
}

/**
 * Weighs as many keys of each family as of any other. A refusal says nothing of the next key, which may be within the user's key
 * patterns; but where a whole batch is refused, all are.
 *
 * @returns whether any was answered.
 */
async function weigh(send: Transport, families: readonly Family[], samples: number): Promise<boolean> {
  const chosen = inTurns(families, samples)
  let isTold = chosen.length === 0
  for (let from = 0; from < chosen.length && (from === 0 || isTold); from += CALLS_A_REQUEST) {
    const batch = chosen.slice(from, from + CALLS_A_REQUEST)
    const replies = await send(batch.map(({ key }): Command => ['MEMORY', 'USAGE', key]))
    for (const [at, { family }] of batch.entries()) {
      const reply = replies[at] ?? null
      if (isRedisError(reply, 'REDIS_REFUSED')) family.refusals += 1
      else if (reply instanceof RedisError) throw reply
      else isTold = true
      if (typeof reply === 'number') family.bytes.push(reply)
    }
  }
  return isTold
}

/** The first key of each family, the largest family first, then the second of each, until there are enough. */
function inTurns(families: readonly Family[], most: number) {
  const bySize = families.toSorted((a, b) => b.keys.length - a.keys.length)
  const chosen: { readonly family: Family; readonly key: string }[] = []
  for (let turn = 0; chosen.length < most && turn < (bySize[0]?.keys.length ?? 0); turn += 1) {
    for (const family of bySize) {
      const key = family.keys[turn]
      if (key === undefined || chosen.length === most) break
      if (!isMangled(key)) chosen.push({ family, key })
    }
  }
  return chosen
}

/** Whether no key of it could be weighed, for the server refused to. */
const isRefused = ({ bytes, refusals }: Family) => bytes.length === 0 && refusals > 0

function extrapolated({ name, keys, bytes }: Family, factor: number): KeyFamily {
  const count = keys.length * factor
  const mean = bytes.reduce((sum, one) => sum + one, 0) / bytes.length
  return { name, keys: Math.round(count), bytes: bytes.length === 0 ? null : Math.round(mean * count) }
}

const byWeight = (a: KeyFamily, b: KeyFamily) =>
  (b.bytes ?? 0) - (a.bytes ?? 0) || b.keys - a.keys || a.name.localeCompare(b.name)
