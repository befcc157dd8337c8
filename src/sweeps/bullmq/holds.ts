import { OWN_WORDS } from './orphans-own-words.ts'

/** Why a finished job stays although it is due. */
export type Hold = keyof typeof holds

/** What a report says of each; `running` first. */
export const holds = {
  running: 'they have not finished, or somebody holds their lock',
  awaited: 'a parent that waits or a job scheduler still counts on them',
  unreadable: 'their keys are no jobs, or belong to others too',
} as const satisfies Readonly<Record<string, string>>

/**
 * Lua: `holdOf(base, id)` names what holds a due job of a finished state, or is false. Reads only; 2 commands for a job without
 * logs, children, parent and deduplication.
 *
 * Whether a job has finished its hash tells: a set may still have the id of one whose hash was lost and which was added again.
 *
 * - `running`: such a job, or one that somebody works on.
 * - `awaited`: removing it would change what will run. It is a job scheduler's next job, or a parent that has not finished waits for
 *   it (a failed child stays in its parent's dependencies unless its options say otherwise; BullMQ would set such a parent free, or
 *   delete it).
 * - `unreadable`: the key is no job, or BullMQ would delete a key that is not the job's. Where the store holds something else than
 *   BullMQ writes, its script would fail, and all jobs with it.
 */
export const HOLD_OF = `
local OWN = {}
for word in string.gmatch('${[...OWN_WORDS].join(' ')}', '%S+') do OWN[word] = true end
local BESIDE = {':logs', ':dependencies', ':processed', ':failed', ':unsuccessful'}

local function isAnothers(key)
  return redis.call('TYPE', key).ok == 'hash' and redis.call('HEXISTS', key, 'name') == 1
end

local function holdOfParent(key, parentKey)
  local member = redis.pcall('SISMEMBER', parentKey .. ':dependencies', key)
  if type(member) == 'table' then return 'unreadable' end
  if member == 0 or redis.call('EXISTS', parentKey) == 0 then return false end
  return redis.pcall('HEXISTS', parentKey, 'finishedOn') ~= 1 and 'awaited'
end

local function holdOf(base, id)
  local key = base .. id
  if OWN[id] or OWN[id .. ':failed'] then return 'unreadable' end
  local job = redis.pcall('HMGET', key, 'timestamp', 'finishedOn', 'rjk', 'deid', 'parentKey')
  if job.err or (not job[1] and redis.call('EXISTS', key) == 1) then return 'unreadable' end
  if job[1] and not job[2] then return 'running' end
  if redis.call('EXISTS', key .. ':lock', key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed',
    key .. ':unsuccessful') > 0 then
    if redis.call('EXISTS', key .. ':lock') == 1 then return 'running' end
    for _, part in ipairs(BESIDE) do
      if isAnothers(key .. part) then return 'unreadable' end
    end
  end
  if job[3] then
    local at = redis.pcall('ZSCORE', base .. 'repeat', job[3])
    if type(at) == 'table' then return 'unreadable' end
    if at and id == 'repeat:' .. job[3] .. ':' .. at then return 'awaited' end
  end
  if job[4] then
    local holder = redis.pcall('GET', base .. 'de:' .. job[4])
    if type(holder) == 'table' then return 'unreadable' end
  end
  if not job[5] or job[5] == '' then return false end
  return holdOfParent(key, job[5])
end
`
