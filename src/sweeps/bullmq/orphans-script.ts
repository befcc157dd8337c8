import { integerOf, listOf, type Command, type Reply } from '../../redis/transport.ts'
import { JOB_FUNCTIONS } from './orphans-lua.ts'

/** What a key of a queue is. `again` says nothing: the call had no time left for it. */
export type Verdict = (typeof VERDICTS)[number]

const VERDICTS = [
  /** No hash of a job, or gone. */
  'other',
  /** A job that is known, worked on, or younger than the cutoff. */
  'live',
  /** An old job of which only the lists have not been asked. */
  'suspect',
  /** What is kept beside a job that is gone. */
  'stray',
  /** A list or set that may know jobs in a way that nobody taught this script. */
  'strange',
  /** Nobody knows it. It has gone where it was to be deleted. */
  'orphan',
  /** Nobody knows it, but its times are none. */
  'unreadable',
  /** Nobody knows it, but a live job of its flow or a next job that waits for it needs it. */
  'needed',
  /** Nobody knows it, but it has more children than one call may look at. */
  'too-much',
  'again',
] as const

/** `look` asks no lists, `judge` asks everybody, `delete` also deletes. */
export type Mode = 'look' | 'judge' | 'delete'

/** Elements of lists and children that one call looks at, about: a few milliseconds in which nobody else is served. */
const MOST_WORK = 200_000

/** Children that one look at a parent may have: most of them gone, or the work is too much and a later run takes the parent. */
const MOST_CHILDREN = 10_000

/**
 * Judges keys of one queue, and deletes the orphans among them.
 *
 * KEYS[1] what all keys of the queue begin with; ARGV[1] mode, ARGV[2] the cutoff in epoch milliseconds, ARGV[3] the work that the
 * call may do, ARGV[4] the children that a parent may have, ARGV[5...] what follows KEYS[1] in each key. Returns the number of a
 * verdict for each, from 0. Atomic, for a worker may take up a job between any look at it and its deletion.
 *
 * Times are 13 digits: milliseconds from 2001 on. What is read from the store decides which other keys are read.
 */
const JUDGE = `${JOB_FUNCTIONS}
local base, mode, cutoff = KEYS[1], ARGV[1], tonumber(ARGV[2])
local OTHER, LIVE, SUSPECT, STRAY, STRANGE, ORPHAN, UNREADABLE, NEEDED, TOO_MUCH, AGAIN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
work = tonumber(ARGV[3])

local function newestTime(key)
  local newest = 0
  for _, field in ipairs({ 'timestamp', 'processedOn', 'finishedOn' }) do
    local text = call('HGET', key, field)
    if text then
      if #text ~= 13 or not string.find(text, '^[1-9]%d+$') then return nil end
      newest = math.max(newest, tonumber(text))
    end
  end
  return newest
end

local function isInsideOfAnotherQueue(id)
  for at in string.gmatch(id, '():') do
    local inner = base .. string.sub(id, 1, at)
    if call('EXISTS', inner .. 'meta', inner .. 'id') > 0 then return true end
  end
  return false
end

local function isLiveChild(key, parentKey)
  work = work - 10
  return kindOf(key) == 'hash' and call('HGET', key, 'parentKey') == parentKey and mayBeKnown(key)
end

local function childrenOf(key)
  local all = {}
  local places = { { 'dependencies', 'set', 'SCARD', 'SMEMBERS' }, { 'processed', 'hash', 'HLEN', 'HKEYS' },
    { 'failed', 'hash', 'HLEN', 'HKEYS' }, { 'unsuccessful', 'zset', 'ZCARD', 'ZRANGE' } }
  for _, place in ipairs(places) do
    local part = key .. ':' .. place[1]
    if kindOf(part) == place[2] then
      if #all + call(place[3], part) > tonumber(ARGV[4]) then return nil end
      local range = place[4] == 'ZRANGE' and { 0, -1 } or {}
      for _, child in ipairs(call(place[4], part, unpack(range))) do table.insert(all, child) end
    end
  end
  return all
end

local function isAwaited(key)
  local parentKey = call('HGET', key, 'parentKey')
  if not parentKey or kindOf(parentKey) ~= 'hash' then return false end
  if kindOf(parentKey .. ':dependencies') ~= 'set' then return false end
  return call('SISMEMBER', parentKey .. ':dependencies', key) == 1 and mayBeKnown(parentKey)
end

local function judgeUnknown(id)
  local key = base .. id
  if not newestTime(key) then return UNREADABLE end
  local deduplication = ownedDeduplication(base, id)
  if deduplication and call('EXISTS', base .. 'dn:' .. deduplication) == 1 then return NEEDED end
  if isAwaited(key) then return NEEDED end
  local children = childrenOf(key)
  if not children then return TOO_MUCH end
  for _, child in ipairs(children) do
    if isLiveChild(child, key) then return NEEDED end
    if work < 0 then return TOO_MUCH end
  end
  return ORPHAN
end

local function judgeKey(id)
  local key = base .. id
  if not isJob(key) then
    local kind = kindOf(key)
    local part = isPart(base, id, kind)
    if part then return call('EXISTS', string.sub(key, 1, -#part - 2)) == 0 and STRAY or OTHER end
    if kind == 'list' or kind == 'set' or kind == 'zset' then return STRANGE end
    return OTHER
  end
  local newest = newestTime(key)
  if newest and newest >= cutoff then return LIVE end
  if isInsideOfAnotherQueue(id) or knows(base, id, mode ~= 'look') then return LIVE end
  if mode == 'look' then return SUSPECT end
  return judgeUnknown(id)
end

local verdicts = {}
for at = 5, #ARGV do
  local verdict = AGAIN
  if at == 5 or work >= 0 then
    verdict = judgeKey(ARGV[at])
    if verdict == TOO_MUCH and work < 0 and at > 5 then verdict = AGAIN end
  end
  if verdict == ORPHAN and mode == 'delete' then removeKeys(base, ARGV[at]) end
  table.insert(verdicts, verdict)
end
return verdicts
`

export interface JudgeOptions {
  readonly mode: Mode
  /** The first instant, in epoch milliseconds, whose jobs are kept. */
  readonly cutoffMs: number
  /** What all keys of the queue begin with. */
  readonly base: string
}

/** The command that judges keys of a queue by what follows its base. The meter counts it as one EVAL. */
export const judgeCommand = (names: readonly string[], { mode, cutoffMs, base }: JudgeOptions): Command => [
  'EVAL',
  JUDGE,
  1,
  base,
  mode,
  cutoffMs,
  MOST_WORK,
  MOST_CHILDREN,
  ...names,
]

/** The verdicts that such a command answered, in the order of the names; `again` for what it did not tell. */
export const verdictsOf = (reply: Reply): readonly Verdict[] =>
  listOf(reply).map((number) => VERDICTS[integerOf(number)] ?? 'again')
