import { HOLD_OF } from './holds.ts'

/**
 * How many of the oldest jobs of a set are due, by number or by age, as `countDue` has it; and how many stand before them
 * with a time before 1970. Those, and times after the last that a number can tell from its neighbours, are no jobs that
 * BullMQ's own clean would see.
 */
const COUNT_DUE = `
local function countDue(set, keep, cutoff)
  local before = redis.call('ZCOUNT', set, '-inf', '(0')
  local total = redis.call('ZCOUNT', set, 0, '${Number.MAX_SAFE_INTEGER}')
  local older = redis.call('ZCOUNT', set, 0, '(' .. cutoff)
  return math.max(total - tonumber(keep), older, 0), before
end
`

/**
 * The windows of deduplication that jobs opened and BullMQ would end with them, and which its own removal by age leaves as they
 * are; a key without an expiry is no window. `noteWindow(base, id)` before a removal, `KEEP_WINDOWS` after it.
 */
const WINDOWS = `
local windows = {}
local function noteWindow(base, id)
  local deid = redis.call('HGET', base .. id, 'deid')
  if not deid then return end
  local key = base .. 'de:' .. deid
  if redis.call('GET', key) ~= id then return end
  local left = redis.call('PTTL', key)
  if left > 0 then table.insert(windows, {key, id, left}) end
end
`

const KEEP_WINDOWS = `
for _, window in ipairs(windows) do redis.call('SET', window[1], window[2], 'PX', window[3], 'NX') end
`

/**
 * A page of due jobs, the oldest first. Reads only. KEYS[1] the set; ARGV: base of the queue's keys, jobs to keep, cutoff, how
 * many due jobs to pass over, most jobs to look at. Returns { ids that may go, what holds each of the others }.
 */
export const SURVEY = `${HOLD_OF}${COUNT_DUE}
local due, before = countDue(KEYS[1], ARGV[2], ARGV[3])
local first, most = tonumber(ARGV[4]), tonumber(ARGV[5])
local last = math.min(first + most, due) - 1
local free, held = {}, {}
if last >= first then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[1], before + first, before + last)) do
    local hold = holdOf(ARGV[1], id)
    table.insert(hold and held or free, hold or id)
  end
end
return {free, held}
`

/**
 * Runs before BullMQ's own `cleanJobsInSet`, in the same script, so that nothing can change in between. It ends the script,
 * before anything is written, with the number of due jobs when the clean would take more than these; with -1 when it would
 * take one that something holds; with an empty list when there is nothing to clean. Reads the clean's latest time and most jobs,
 * ARGV[2] and [3]; the last four of ARGV are ours: base of the queue's keys, the set, jobs to keep, cutoff.
 */
export const CLEAN_GUARD = `${WINDOWS}do${HOLD_OF}${COUNT_DUE}
local base, set, keep, cutoff = unpack(ARGV, #ARGV - 3)
local ids = redis.call('ZRANGEBYSCORE', set, 0, ARGV[2], 'LIMIT', 0, ARGV[3])
if #ids == 0 then return ids end
local due = countDue(set, keep, cutoff)
if #ids > due then return due end
for _, id in ipairs(ids) do
  if holdOf(base, id) then return -1 end
end
for _, id in ipairs(ids) do noteWindow(base, id) end
end
`

/** Follows `CLEAN_GUARD` and the script. */
export const AFTER_CLEAN = KEEP_WINDOWS

/**
 * Runs before BullMQ's own `removeJob`, in the same script: it ends the script with 0, before anything is written, unless the
 * job is still in the set, due, and held by nothing (meanwhile somebody may have had it run again). Reads the job's id,
 * ARGV[1]; the last four of ARGV are those of `CLEAN_GUARD`.
 */
export const REMOVE_GUARD = `${WINDOWS}do${HOLD_OF}${COUNT_DUE}
local base, set, keep, cutoff = unpack(ARGV, #ARGV - 3)
local rank = redis.call('ZRANK', set, ARGV[1])
if not rank then return 0 end
local due, before = countDue(set, keep, cutoff)
if rank < before or rank >= before + due or holdOf(base, ARGV[1]) then return 0 end
noteWindow(base, ARGV[1])
end
local ownMeta = ARGV[#ARGV - 3] .. 'meta'
local hadLimit = redis.call('HEXISTS', ownMeta, 'opts.maxLenEvents') == 1
`

/** Follows `REMOVE_GUARD` and the script, which writes a limit of events into a meta without one: that is taken back. */
export const AFTER_REMOVE = `${KEEP_WINDOWS}
if not hadLimit then redis.call('HDEL', ownMeta, 'opts.maxLenEvents') end
`
