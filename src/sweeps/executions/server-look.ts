import type { Reply } from '../../redis/transport.ts'

/**
 * What both scripts of this sweep begin with: `look(at)` tells how the execution stands whose three keys are KEYS[at] to
 * KEYS[at + 2] (itself, its transactions, its results). It answers
 *
 * - `-` when none of them exists;
 * - otherwise the place (0 to 2) of the first that exists, and `x` when any of them has an expiry; `?` when any is not what a
 *   store makes of it: by its type, by all values of up to 1 000 begun tasks, by one result and by some values of a hash of
 *   more; else `=` and 16 hexadecimal digits that change with every step of an execution: made of which keys exist, the
 *   number of fields of each hash, and, up to 1 000 fields, their names.
 *
 * The digits of names are summed up, for the order of a hash's fields is another after a restart of the server. `report` adds
 * the number of calls by command. All reads, so a failure leaves nothing behind.
 */
export const LOOK = `
local calls = {}
local function ask(name, ...)
  calls[name] = (calls[name] or 0) + 1
  return redis.call(name, ...)
end
local function isResult(text)
  if text == '' or text == 'null' or text == 'true' or text == 'false' then return true end
  local ends = string.sub(text, 1, 1) .. string.sub(text, -1)
  if ends == '{}' or ends == '[]' or ends == '""' then return #text > 1 end
  return string.find(text, '^%-?%d[%deE.+-]*$') ~= nil and tonumber(text) ~= nil
end
local function isStored(part, text)
  if part == 1 then return text == 'true' end
  return isResult(text)
end
local function fields(key, part)
  local count = ask('HLEN', key)
  local sample = {}
  local names = {}
  if count > 1000 then
    sample = ask('HSCAN', key, 0, 'COUNT', 10)[2]
  elseif part == 1 then
    sample = ask('HGETALL', key)
    for at = 1, #sample, 2 do names[#names + 1] = sample[at] end
  else
    names = ask('HKEYS', key)
    sample = {names[1], ask('HGET', key, names[1])}
  end
  if #sample == 0 then return nil end
  for at = 2, #sample, 2 do
    if not isStored(part, sample[at]) then return nil end
  end
  local sum = 0
  for _, name in ipairs(names) do
    sum = (sum + tonumber(string.sub(redis.sha1hex(name), 1, 12), 16)) % 281474976710656
  end
  return string.format('%d:%.0f', count, sum)
end
local function state(key, part)
  local type = ask('TYPE', key).ok
  if part > 0 then return type == 'hash' and fields(key, part) or nil end
  return type == 'string' and ask('STRLEN', key) == 4 and ask('GET', key) == 'true' and 'true' or nil
end
local function look(at)
  local first
  local states = {}
  for part = 0, 2 do
    local ttl = ask('PTTL', KEYS[at + part])
    if ttl ~= -2 then
      first = first or part
      if ttl ~= -1 then return first .. 'x' end
      states[#states + 1] = part
    end
  end
  if not first then return '-' end
  local texts = {}
  for _, part in ipairs(states) do
    local text = state(KEYS[at + part], part)
    if not text then return first .. '?' end
    texts[#texts + 1] = part .. text
  end
  return first .. '=' .. string.sub(redis.sha1hex(table.concat(texts, ' ')), 1, 16)
end
local function report(answers)
  for name, count in pairs(calls) do
    answers[#answers + 1] = name
    answers[#answers + 1] = count
  end
  return answers
end
`

/** The commands that one look runs at most. */
export const WORST_LOOK: readonly string[] =
  'PTTL PTTL PTTL TYPE TYPE TYPE STRLEN GET HLEN HLEN HGETALL HKEYS HGET'.split(' ')

/** The commands that a script ran inside, read from what `report` added to so many answers. */
export function callsIn(reply: Reply, answers: number): readonly string[] {
  if (!Array.isArray(reply)) return []
  return reply
    .slice(answers)
    .flatMap((word, at, words) => (at % 2 === 0 ? Array<string>(Number(words[at + 1])).fill(String(word)) : []))
}
