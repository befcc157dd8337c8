import { OWN_WORDS } from './orphans-own-words.ts'

/**
 * Lua functions about BullMQ's keys, the beginning of more than one script. `base` is what all keys of a queue begin with, its
 * last colon included. They read only, except `removeKeys`.
 *
 * - `isJob(key)`: whether a key is a hash with the fields of every job.
 * - `knows(base, id, lists)`: whether a list or set of the queue has the id, or somebody works on it, or it is the next job of a
 *   scheduler. A state of an unknown type knows everybody. Without `lists` those are not asked, for that takes long.
 * - `mayBeKnown(key)`: the same for a job's whole key, which does not tell where the queue's name ends.
 * - `isPart(base, rest, kind)`: which of the things that BullMQ keeps beside a job a key is by name and type. A hash that has a name
 *   is none: it is a job, a scheduler or a next job (children are named by their whole keys).
 * - `removeKeys(base, id)`: the job, what BullMQ keeps beside it, and the deduplication that it holds. Nothing where the key is no
 *   job's.
 *
 * `work` is how many elements of lists may still be looked at; below 0 whoever can should stop. All that `mayBeKnown` asks about one
 * queue takes as long as 250 of them.
 */
export const JOB_FUNCTIONS = `
local call = redis.call
local work = 0
local kinds = {}
local STATES = { 'completed', 'failed', 'delayed', 'prioritized', 'waiting-children', 'priority', 'stalled', 'active', 'wait', 'paused' }
local OWN = {}
for word in string.gmatch('${[...OWN_WORDS].join(' ')}', '%S+') do OWN[word] = true end
local PARTS = { { 'logs', 'list' }, { 'dependencies', 'set' }, { 'processed', 'hash' }, { 'failed', 'hash' }, { 'unsuccessful', 'zset' } }

local function kindOf(key) return call('TYPE', key).ok end

local function kindOfState(key)
  kinds[key] = kinds[key] or kindOf(key)
  return kinds[key]
end

local function isJob(key)
  if kindOf(key) ~= 'hash' then return false end
  for _, field in ipairs({ 'timestamp', 'name', 'data', 'opts' }) do
    if call('HEXISTS', key, field) == 0 then return false end
  end
  return true
end

local function isInList(key, id)
  if kindOfState(key) ~= 'list' then return false end
  local length = call('LLEN', key)
  work = work - length
  local at = redis.pcall('LPOS', key, id)
  if type(at) ~= 'table' then return at ~= false end
  for from = 0, length - 1, 1000 do
    for _, one in ipairs(call('LRANGE', key, from, from + 999)) do
      if one == id then return true end
    end
  end
  return false
end

local function isNextOfScheduler(base, id)
  local ms = string.match(id, '^repeat:.*:(%d+)$')
  if not ms then return false end
  local kind = kindOfState(base .. 'repeat')
  if kind == 'zset' then return call('ZCOUNT', base .. 'repeat', ms, ms) > 0 end
  return kind ~= 'none'
end

local function knows(base, id, lists, isGuess)
  for _, state in ipairs(STATES) do
    local key = base .. state
    local kind = kindOfState(key)
    if kind == 'zset' then
      if call('ZSCORE', key, id) then return true end
    elseif kind == 'set' then
      if call('SISMEMBER', key, id) == 1 then return true end
    elseif kind == 'list' then
      if lists and isInList(key, id) then return true end
    elseif kind ~= 'none' and not isGuess then
      return true
    end
  end
  return isNextOfScheduler(base, id) or kindOf(base .. id .. ':lock') == 'string'
end

local function mayBeKnown(key)
  for at in string.gmatch(key, '():') do
    work = work - 250
    if at < #key and knows(string.sub(key, 1, at), string.sub(key, at + 1), true, true) then return true end
  end
  return false
end

local function isPart(base, rest, kind)
  if OWN[rest] or (kind == 'hash' and call('HEXISTS', base .. rest, 'name') == 1) then return false end
  for _, part in ipairs(PARTS) do
    if kind == part[2] and #rest > #part[1] + 1 and string.sub(rest, -#part[1] - 1) == ':' .. part[1] then return part[1] end
  end
  return false
end

local function ownedDeduplication(base, id)
  local name = call('HGET', base .. id, 'deid')
  local key = name and base .. 'de:' .. name
  if key and kindOf(key) == 'string' and call('GET', key) == id then return name end
  return false
end

local function removeKeys(base, id)
  local kind = kindOf(base .. id)
  if OWN[id] or (kind ~= 'none' and not isJob(base .. id)) then return 0 end
  local deduplication = kind == 'hash' and ownedDeduplication(base, id)
  if deduplication then call('UNLINK', base .. 'de:' .. deduplication, base .. 'dn:' .. deduplication) end
  local keys = { base .. id }
  for _, part in ipairs(PARTS) do
    local rest = id .. ':' .. part[1]
    if kindOf(base .. rest) == part[2] and isPart(base, rest, part[2]) then
      table.insert(keys, base .. rest)
    end
  end
  return call('UNLINK', unpack(keys))
end
`
