import { readInfo, type Info } from '../../redis/info.ts'
import { scanPages } from '../../redis/scan.ts'
import { ask, listOf, type Transport } from '../../redis/transport.ts'
import { chunks } from './chunks.ts'
import {
  functionOfKey,
  isQueueSign,
  prefixShownBy,
  readKey,
  showsPrefix,
  TAGGED_PATTERN,
  USUAL_PREFIX,
} from './keys.ts'
import { isLikelyRunId } from './ulid.ts'

/** Whether what this Redis says of runs may be believed. `because` is for people and says what to do. */
export type StateCheck =
  /** `server` names the server's process, where it tells: another one later is another server, or one that was restarted. */
  | { readonly ok: true; readonly prefix: string; readonly server?: string | undefined }
  | { readonly ok: false; readonly because: string }

export interface StateCheckOptions {
  /** The state prefix that is configured; found out where undefined. */
  readonly prefix: string | undefined
  /** The real time, or what the caller judges from if that is later; epoch milliseconds. */
  readonly nowMs: number
  /** Whether the database has a run that is not finished. */
  readonly hasOpenRuns: boolean
  /**
   * Those of the runs that the database knows, in whichever table. Asked for at most 1 000 at a time, and only while there
   * are open runs, until it knows one.
   */
  readonly knownRuns: (ids: readonly string[]) => Promise<ReadonlySet<string>>
  /** Whether the database knows a run of one of these functions. Asked while there are open runs and Redis shows no run. */
  readonly knowsFunction: (ids: readonly string[]) => Promise<boolean>
}

/**
 * Finds the prefix of run state and decides whether a run that has none may be taken for dead: not when the server may
 * evict keys, when it holds no key of an Inngest, when the prefix is in doubt, or when its runs are those of another.
 *
 * Costs 1 SCAN per 1 000 keys of the database, in most cases one; INFO is free.
 *
 * @throws RedisError, and whatever `knownRuns` throws.
 */
export async function checkState(send: Transport, options: StateCheckOptions): Promise<StateCheck> {
  const info = await readInfo(send)
  const doubt = doubtOfServer(info) ?? doubtOfPolicy(info)
  if (doubt !== undefined) return { ok: false, because: doubt }
  const evidence: Evidence = {
    server: info.get('run_id'),
    idempotencyKeys: [],
    functions: new Set(),
    hasPrefix: false,
    hasServer: false,
    hasRuns: false,
    hasKnownRuns: !options.hasOpenRuns,
    others: new Map(),
  }
  for await (const page of scanPages(send, { match: TAGGED_PATTERN })) {
    await noteRuns(notePage(page, evidence, options), evidence, options)
    if (evidence.hasPrefix && evidence.hasKnownRuns) break
  }
  if (!evidence.hasKnownRuns) await noteRuns(await runsOfIdempotency(send, evidence, options), evidence, options)
  if (!evidence.hasKnownRuns && !evidence.hasRuns && evidence.functions.size > 0)
    evidence.hasKnownRuns = await options.knowsFunction([...evidence.functions])
  return await conclude(evidence, options)
}

/** What the keys looked at so far say. */
interface Evidence {
  readonly server: string | undefined
  /** Some of those that hold the id of a run. */
  readonly idempotencyKeys: string[]
  /** Some of the functions that have jobs. */
  readonly functions: Set<string>
  /** A key shows the prefix that is configured, or the usual one where none is. */
  hasPrefix: boolean
  /** There is a key that other software hardly has. */
  hasServer: boolean
  /** There are runs. */
  hasRuns: boolean
  /** The database knows one of them, or has no open run that could be mistaken for a dead one. */
  hasKnownRuns: boolean
  /** Runs under other prefixes; the first 1 000 of each. */
  readonly others: Map<string, string[]>
}

const KNOWN_POLICY = /^(?:noeviction|volatile-[a-z]{1,20})$/
const LOSSY_POLICY = /^allkeys-[a-z]{1,20}$/

/** A replica may be behind, and a server that loads does not know its keys yet. */
function doubtOfServer(info: Info): string | undefined {
  if (info.get('loading') === '1') return 'Redis is still loading its data. Run it again later.'
  const role = info.get('role')
  return role === undefined || role === 'master' ? undefined : 'INNGEST_REDIS_URL names a replica. Use its primary.'
}

/** Keys of run state have no expiry, so a policy that drops only keys with one does not touch them. */
function doubtOfPolicy(info: Info): string | undefined {
  const policy = info.get('maxmemory_policy') ?? ''
  if (KNOWN_POLICY.test(policy)) return undefined
  return LOSSY_POLICY.test(policy)
    ? `maxmemory-policy is ${policy}: Redis may have dropped the state of runs that still live. Set it to noeviction.`
    : 'Redis does not tell its maxmemory-policy, so it may have dropped run state. Allow its user to run INFO.'
}

/** Notes what the keys of a page show, and hands back the runs among them. */
function notePage(page: readonly string[], evidence: Evidence, options: StateCheckOptions): readonly string[] {
  const prefix = options.prefix ?? USUAL_PREFIX
  const runIds = new Set<string>()
  for (const key of page) {
    const read = readKey(key, { prefix, nowMs: options.nowMs })
    if ('runId' in read) runIds.add(read.runId)
    if (showsPrefix(read)) evidence.hasPrefix = true
    if (read.kind === 'idempotency' && evidence.idempotencyKeys.length < MOST_IDEMPOTENCY_KEYS)
      evidence.idempotencyKeys.push(key)
    const job = functionOfKey(key)
    if (job !== undefined && evidence.functions.size < MOST_RUNS) evidence.functions.add(job)
    if (read.kind === 'other-state' || isQueueSign(key)) evidence.hasServer = true
    if (read.kind === 'foreign') noteOther(key, evidence, options)
  }
  return [...runIds]
}

const MOST_PREFIXES = 20
const MOST_IDEMPOTENCY_KEYS = 200
const MOST_RUNS = 1_000

function noteOther(key: string, { others }: Evidence, { nowMs }: StateCheckOptions): void {
  const shown = prefixShownBy(key, nowMs)
  if (shown === undefined) return
  const runIds = others.get(shown.prefix) ?? []
  if (others.size < MOST_PREFIXES) others.set(shown.prefix, runIds)
  if (runIds.length < MOST_RUNS) runIds.push(shown.runId)
}

async function noteRuns(ids: readonly string[], evidence: Evidence, { knownRuns }: StateCheckOptions): Promise<void> {
  if (ids.length > 0) evidence.hasRuns = true
  for (const some of chunks(ids, MOST_RUNS)) {
    if (!evidence.hasKnownRuns) evidence.hasKnownRuns = (await knownRuns(some)).size > 0
  }
}

/** For a day after it began, a run can be told from its idempotency key, which holds its id. Costs 1 MGET. */
async function runsOfIdempotency(send: Transport, { idempotencyKeys }: Evidence, { nowMs }: StateCheckOptions) {
  if (idempotencyKeys.length === 0) return []
  const values = listOf(await ask(send, ['MGET', ...idempotencyKeys]))
  return values.filter((value) => typeof value === 'string').filter((value) => isLikelyRunId(value, nowMs))
}

async function conclude(evidence: Evidence, options: StateCheckOptions): Promise<StateCheck> {
  const { hasPrefix, hasServer, others } = evidence
  const [[other, runIds = []] = [], another] = others
  if (hasPrefix) return belonging(options.prefix ?? USUAL_PREFIX, evidence)
  if (options.prefix !== undefined) {
    return options.hasOpenRuns ? { ok: false, because: unmatched(other) } : belonging(options.prefix, evidence)
  }
  if (other !== undefined && another !== undefined) return { ok: false, because: ambiguous(other, another[0]) }
  if (other !== undefined) {
    await noteRuns(runIds, evidence, options)
    return belonging(other, evidence)
  }
  if (!hasServer && options.hasOpenRuns) return { ok: false, because: NO_INNGEST }
  return belonging(USUAL_PREFIX, evidence)
}

function belonging(prefix: string, { hasRuns, hasKnownRuns, functions, server }: Evidence): StateCheck {
  if (hasKnownRuns) return { ok: true, prefix, server }
  return { ok: false, because: hasRuns || functions.size > 0 ? NOT_OURS : NO_TIE }
}

const NO_TIE =
  'Redis holds no run and no job of a function that this database knows, so nobody can tell whether it is the right one. ' +
  'The next sweep asks again; check INNGEST_REDIS_URL if Inngest is at work.'

const NO_INNGEST =
  'Redis holds no key of an Inngest, but the database has unfinished runs. INNGEST_REDIS_URL names another Redis, or another database of it.'
const NOT_OURS =
  'Redis belongs to another Inngest: the database knows none of its runs, but has unfinished ones of its own. Check INNGEST_REDIS_URL and INNGEST_DATABASE_URL.'

const unmatched = (other: string | undefined) =>
  other === undefined
    ? 'No run state in Redis has the prefix of INNGEST_REDIS_KEY_PREFIX, but the database has unfinished runs. Unset it, or check INNGEST_REDIS_URL.'
    : `No run state in Redis has the prefix of INNGEST_REDIS_KEY_PREFIX, but the database has unfinished runs. There, it is "${other}": set that, or nothing.`

const ambiguous = (one: string, other: string) =>
  `Run state in Redis has more than one prefix, "${one}" and "${other}" among them. Set INNGEST_REDIS_KEY_PREFIX to the one of this Inngest.`
