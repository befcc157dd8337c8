import { integerOf, listOf, textOf, type Command, type Reply } from '../../redis/transport.ts'
import type { JobState } from './keys.ts'
import { JOB_FUNCTIONS } from './orphans-lua.ts'

/**
 * Takes the next jobs of one state away, with all that belongs to them.
 *
 * KEYS[1] what all keys of the queue begin with; ARGV[1] state, ARGV[2] `clear` or `count`, ARGV[3] how many jobs of the state were
 * left where they are so far, ARGV[4] how many to take on at most, ARGV[5] the work that the call may do. Returns how many were taken on, how many of them went, how many
 * stay as the next job of a scheduler, because somebody works on them, and because another job waits for them; then the bases of
 * the queues of those other jobs. Atomic, for a worker may take up a job between any look at it and its removal.
 *
 * A job stays when its parent waits for it and is not emptied out itself: one in another queue that is not finished, or
 * one in this queue that is active, that is yet to run again (as after a failure), or that came to waiting-children when the
 * parents there had been cleared already. Lists are emptied from their tail, where the oldest are. A parent that has finished or goes too no longer waits.
 */
const CLEAR = `${JOB_FUNCTIONS}
local base, state, mode = KEYS[1], ARGV[1], ARGV[2]
local offset, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
local stateKey = base .. state

local function parentOf(key)
  local parentKey = call('HGET', key, 'parentKey')
  if not parentKey or kindOf(parentKey) ~= 'hash' or kindOf(parentKey .. ':dependencies') ~= 'set' then return nil end
  if call('SISMEMBER', parentKey .. ':dependencies', key) == 0 then return nil end
  return parentKey
end

local function placeOf(parentKey, key)
  local isRead, parent = pcall(cjson.decode, call('HGET', key, 'parent') or '')
  if isRead and type(parent) == 'table' and type(parent.queueKey) == 'string' then
    local parentBase = parent.queueKey .. ':'
    if string.sub(parentKey, 1, #parentBase) == parentBase then return parentBase, string.sub(parentKey, #parentBase + 1) end
  end
  return string.match(parentKey, '^(.*:)(.*)$')
end

local function isWorkedOn(id)
  return kindOf(base .. id .. ':lock') == 'string' or isInList(base .. 'active', id)
end

local arePastParents = mode == 'clear' and state ~= 'waiting-children'
local function outlives(id)
  local parents = base .. 'waiting-children'
  if kindOfState(parents) == 'zset' and call('ZSCORE', parents, id) then return arePastParents end
  return knows(base, id, true)
end

local function awaitedBy(id, depth)
  local key = base .. id
  local parentKey = kindOf(key) == 'hash' and parentOf(key)
  if not parentKey then return nil end
  local parentBase, parentId = placeOf(parentKey, key)
  if not parentBase or call('HEXISTS', parentKey, 'finishedOn') == 1 then return nil end
  if parentBase ~= base then return knows(parentBase, parentId, true) and parentBase or nil end
  if isWorkedOn(parentId) then return base end
  local waiting = depth < 100 and awaitedBy(parentId, depth + 1)
  return waiting or (outlives(parentId) and base) or nil
end

local function removeFromList(id, fromTail)
  local fromHead = call('LLEN', stateKey) - fromTail
  work = work - math.min(fromHead, fromTail)
  call('LREM', stateKey, fromHead < fromTail and 1 or -1, id)
end

local function remove(id, place)
  local parentKey = kindOf(base .. id) == 'hash' and parentOf(base .. id)
  if parentKey then call('SREM', parentKey .. ':dependencies', base .. id) end
  if kindOfState(stateKey) == 'list' then removeFromList(id, place) else call('ZREM', stateKey, id) end
  if kindOfState(base .. 'priority') == 'zset' then call('ZREM', base .. 'priority', id) end
  removeKeys(base, id)
end

local function nextIds()
  local kind = kindOfState(stateKey)
  if kind == 'zset' then return call('ZRANGE', stateKey, offset, offset + limit - 1) end
  if kind ~= 'list' then return {} end
  local ids = {}
  for _, id in ipairs(call('LRANGE', stateKey, -offset - limit, -offset - 1)) do table.insert(ids, 1, id) end
  return ids
end

local ids = nextIds()
local taken, gone, scheduled, worked, awaited = 0, 0, 0, 0, 0
work = tonumber(ARGV[5])
local bases, known = {}, {}
for _, id in ipairs(ids) do
  if work < 0 then break end
  taken = taken + 1
  local waiting = awaitedBy(id, 0)
  if isNextOfScheduler(base, id) then
    scheduled = scheduled + 1
  elseif kindOf(base .. id .. ':lock') == 'string' then
    worked = worked + 1
  elseif waiting then
    awaited = awaited + 1
    if not known[waiting] and #bases < 20 then table.insert(bases, waiting) end
    known[waiting] = true
  else
    gone = gone + 1
    if mode == 'clear' then remove(id, offset + taken - gone) end
  end
end
return { taken, gone, scheduled, worked, awaited, unpack(bases) }
`

/** Jobs that one call takes on: a few milliseconds in which nobody else is served. */
const JOBS_PER_CALL = 100

/** Elements of lists that one call looks at, about; a single job may take more. */
const MOST_WORK = 200_000

export interface ClearStep {
  /** What all keys of the queue begin with. */
  readonly base: string
  readonly state: JobState
  readonly isDryRun: boolean
  /** Jobs of the state that were left where they are so far. */
  readonly offset: number
}

/** What became of the jobs that one call took on: `taken = gone + scheduled + worked + awaited`. */
export interface ClearReply {
  readonly taken: number
  readonly gone: number
  /** Next jobs of schedulers. */
  readonly scheduled: number
  /** Jobs that somebody holds a lock on. */
  readonly worked: number
  /** Jobs that a job waits for which does not go. */
  readonly awaited: number
  /** The bases of the queues of those other jobs, at most 20. */
  readonly bases: readonly string[]
}

/** The command that takes the next 100 jobs of a state away or fewer, or counts them. The meter counts it as one EVAL. */
export const clearCommand = ({ base, state, isDryRun, offset }: ClearStep): Command => [
  'EVAL',
  CLEAR,
  1,
  base,
  state,
  isDryRun ? 'count' : 'clear',
  offset,
  JOBS_PER_CALL,
  MOST_WORK,
]

/** Decodes what such a command answered. */
export function clearReplyOf(reply: Reply): ClearReply {
  const [taken = null, gone = null, scheduled = null, worked = null, awaited = null, ...bases] = listOf(reply)
  return {
    taken: integerOf(taken),
    gone: integerOf(gone),
    scheduled: integerOf(scheduled),
    worked: integerOf(worked),
    awaited: integerOf(awaited),
    bases: bases.map(textOf),
  }
}
