import type { ServerFacts } from './facts.ts'
import type { StatusLine } from './status.ts'
import { ageText, fine, memoryText, percentText, untold } from './words.ts'

/** A fact and what it means; undefined where nothing is said about it. */
export type Rule = (facts: ServerFacts) => StatusLine | undefined

/** What a server's INFO leaves out: unknown on one's own server, nothing to speak of on a provider's. */
export const leftOut = (name: string, { isBilled }: Pick<ServerFacts, 'isBilled'>): StatusLine | undefined =>
  isBilled ? undefined : untold(name, 'The INFO of this server does not tell it.')

/** BullMQ and streams came with 5.0; what Orderly and BullMQ like to use (LPOS, GETDEL, finer rights), with 6.2. */
const version: Rule = (facts) => {
  const { version: text } = facts.figures
  if (text === null) return leftOut('version', facts)
  const [major = 0, minor = 0] = text.split('.').map((part) => Number.parseInt(part, 10))
  if (major < 5) return { ...fine('version', text), verdict: 'bad', cure: `${TOO_OLD} Install a newer Redis.` }
  if (major > 6 || (major === 6 && minor >= 2)) return fine('version', text)
  return { ...fine('version', text), verdict: 'look', cure: `It works, but 6.2 or newer is recommended.` }
}

const TOO_OLD = 'BullMQ and streams need 5.0; 6.2 or newer is recommended.'

const role: Rule = (facts) => {
  const { role: text } = facts.figures
  if (text === null) return leftOut('role', facts)
  if (text === 'primary') return fine('role', text)
  return { name: 'role', value: text, verdict: 'bad', cure: 'It refuses every write. Use the address of its primary.' }
}

/** A provider's cluster hides behind one address; with one of one's own, each node holds a part of the keys. */
const cluster: Rule = ({ figures: { isCluster }, isBilled }) =>
  isCluster === true && !isBilled
    ? {
        name: 'cluster',
        value: 'cluster_enabled',
        verdict: 'bad',
        cure: 'It is one node of a cluster and refuses the keys of others. Use a server with cluster-enabled no.',
      }
    : undefined

const uptime: Rule = (facts) => {
  const { uptimeSeconds } = facts.figures
  return uptimeSeconds === null ? leftOut('uptime', facts) : fine('uptime', ageText(uptimeSeconds))
}

/** The last twentieth is gone in minutes of a busy day; the last fifth is the time that is left to plan in. */
const ALMOST_FULL = 0.95
const FILLING = 0.8

const memory: Rule = (facts) => {
  const { usedMemoryBytes: used, maxMemoryBytes: most } = facts.figures
  if (used === null) return leftOut('memory', facts)
  // A plan without a bound has no room to run out of.
  if (most === null || (most === 0 && facts.isBilled)) return fine('memory', memoryText(used))
  if (most === 0) {
    return {
      name: 'memory',
      value: `${memoryText(used)}, no limit`,
      verdict: 'look',
      cure: 'Without a limit the system ends Redis when memory runs out. Set maxmemory, with maxmemory-policy noeviction.',
    }
  }
  const share = used / most
  const line = fine('memory', `${memoryText(used)} of ${memoryText(most)} (${percentText(share)})`)
  if (share < FILLING) return line
  const cure = 'When it is full, writes are refused. Delete what is old (the sweeps do) or give it more room.'
  return { ...line, verdict: share >= ALMOST_FULL ? 'bad' : 'look', cure }
}

/** Below this a ratio says nothing: the program itself is larger than its data. */
const SAYING_BYTES = 64 * 1_024 * 1_024

/** Half as much again is where Redis's own documentation begins to speak of a problem; less than the data is swap. */
const FRAGMENTED = 1.5
const SWAPPED = 0.9

const fragmentation: Rule = (facts) => {
  const { fragmentationRatio: ratio, usedMemoryBytes } = facts.figures
  if (ratio === null) return leftOut('fragmentation', facts)
  if ((usedMemoryBytes ?? 0) < SAYING_BYTES)
    return fine('fragmentation', `${ratio} (means nothing with so little data)`)
  const line = fine('fragmentation', String(ratio))
  if (ratio < SWAPPED) {
    return {
      ...line,
      verdict: 'look',
      cure: 'A part of the memory may be swapped out, which is slow. Give the machine more.',
    }
  }
  if (ratio <= FRAGMENTED) return line
  return {
    ...line,
    verdict: 'look',
    cure: 'Memory is wasted between the keys. Run CONFIG SET activedefrag yes, which needs a Redis with its own jemalloc.',
  }
}

/** Each service and worker holds a few connections; where most of the limit is taken, somebody does not give back. */
const MANY_CLIENTS = 0.7
const ALMOST_ALL_CLIENTS = 0.9

const clients: Rule = (facts) => {
  const { connectedClients: count, maxClients: most } = facts.figures
  if (count === null) return leftOut('clients', facts)
  const line = fine('clients', most === null ? String(count) : `${count} of ${most}`)
  const share = most === null || most === 0 ? 0 : count / most
  if (share < MANY_CLIENTS) return line
  const cure =
    'At the limit new connections are refused. CLIENT LIST shows who holds them; raise maxclients if all are needed.'
  return { ...line, verdict: share >= ALMOST_ALL_CLIENTS ? 'bad' : 'look', cure }
}

const operations: Rule = (facts) => {
  const { opsPerSecond } = facts.figures
  return opsPerSecond === null ? leftOut('commands a second', facts) : fine('commands a second', String(opsPerSecond))
}

/** No share of misses is bad by itself: locks, queues and first-time checks ask for keys that are not there. */
const hitRate: Rule = (facts) => {
  const { hitRatio } = facts.figures
  if (hitRatio !== null) return fine('hit rate', percentText(hitRatio))
  return facts.isBilled ? undefined : fine('hit rate', 'no lookup yet')
}

const keys: Rule = (facts) => {
  const { keys: count } = facts.figures
  return count === null ? leftOut('keys', facts) : fine('keys', String(count))
}

const expired: Rule = (facts) => {
  const { expiredKeys } = facts.figures
  return expiredKeys === null ? leftOut('expired keys', facts) : fine('expired keys', String(expiredKeys))
}

const evicted: Rule = (facts) => {
  const { evictedKeys: count, evictionPolicy } = facts.figures
  if (count === null) return leftOut('evicted keys', facts)
  if (count === 0) return fine('evicted keys', '0')
  const line = fine('evicted keys', String(count))
  if (evictionPolicy === 'noeviction') {
    return {
      ...line,
      verdict: 'look',
      cure: 'They were dropped since the last start, before the policy was noeviction.',
    }
  }
  return {
    ...line,
    verdict: 'bad',
    cure: 'Keys were dropped for lack of room. Set noeviction and give Redis more memory.',
  }
}

/** What can vanish from a store. */
const contents = new Map([
  ['orders', 'order state'],
  ['inngest', 'the state of live runs'],
  ['bullmq', 'jobs'],
  ['executions', 'the state of executions'],
])

/** The same where a policy takes keys with an expiry only, of stores that hold others as well. */
const expiringContents = new Map([
  ['bullmq', 'locks of jobs in work can vanish, so that these run twice'],
  ['url', 'what has an expiry can vanish'],
])

const policy: Rule = ({ name, isBilled, figures }) => {
  const { evictionPolicy: text, maxMemoryBytes } = figures
  if (text === null) return leftOut('maxmemory-policy', { isBilled })
  const line = fine('maxmemory-policy', text)
  const isVolatile = text.startsWith('volatile-')
  // The state of Inngest's runs has no expiry, and neither has anything beside it that matters.
  if (text === 'noeviction' || (name === 'inngest' && isVolatile)) return line
  const all = `${contents.get(name) ?? 'what is stored'} can vanish`
  const what = isVolatile ? (expiringContents.get(name) ?? all) : all
  // Without a limit nothing is ever evicted, until somebody sets one.
  return {
    ...line,
    verdict: maxMemoryBytes === 0 ? 'look' : 'bad',
    cure: `maxmemory-policy is ${text}: ${what}; set noeviction.`,
  }
}

/** The rules about a server as it runs, in the order in which people read them. */
export const serverRules: readonly Rule[] = [
  version,
  role,
  cluster,
  uptime,
  memory,
  policy,
  evicted,
  expired,
  fragmentation,
  keys,
  clients,
  operations,
  hitRate,
]
