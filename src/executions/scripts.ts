/**
 * The Lua of the store. KEYS are always the execution, its transactions and its results. They are sent whole each time
 * (EVAL): at most 700 bytes more than a digest, but always one command, also on a server that never saw them.
 *
 * Stored texts come back behind a "=", since a client may take what looks like JSON for JSON.
 */

/**
 * Gives a key the one expiry of its execution: ARGV[1] seconds or, where that is "", whatever the execution has. No
 * milliseconds left are one, for a key without expiry would stay.
 */
const LIFE = `local ttl = ARGV[1]
local left = ttl == '' and redis.call('PTTL', KEYS[1])
local function refresh(key)
if not left then return redis.call('EXPIRE', key, ttl) end
if left < 0 then return redis.call('PERSIST', key) end
return redis.call('PEXPIRE', key, math.max(left, 1)) end
`

/** Begins every write to an execution. Answers 0 at once if it has gone, so nothing is recreated. */
const ALIVE = `${LIFE}if left == -2 or not left and refresh(KEYS[1]) == 0 then return 0 end
`

/**
 * Begins an execution. One that exists goes on with the results and, where ARGV[1] is "", the expiry that it has. Answers 1,
 * or -1 if the key holds something that is no execution.
 */
export const BEGIN = `local new = redis.call('SET', KEYS[1], 'true', 'NX', unpack(ARGV[1] == '' and {} or {'EX', ARGV[1]}))
if not new then
local now = redis.pcall('GET', KEYS[1])
if type(now) == 'table' and not string.find(now.err, 'WRONGTYPE') then return now end
if now ~= 'true' then return -1 end end
${LIFE}if not (new or left) then refresh(KEYS[1]) end
refresh(KEYS[2])
refresh(KEYS[3])
return 1`

/** Claims a task. ARGV[2] task; answers 2 if claimed now, 1 if it was begun or committed before, 0 if the execution has gone. */
export const BEGIN_TASK = `${ALIVE}local claimed = redis.call('HEXISTS', KEYS[3], ARGV[2]) == 0 and redis.call('HSETNX', KEYS[2], ARGV[2], 'true')
refresh(KEYS[2])
refresh(KEYS[3])
return claimed == 1 and 2 or 1`

/** Stores the first result of a task, then takes its mark away. ARGV[2] task, ARGV[3] result; answers 0 if the execution has gone. */
export const COMMIT = `${ALIVE}redis.call('HSETNX', KEYS[3], ARGV[2], ARGV[3])
refresh(KEYS[3])
refresh(KEYS[2])
redis.call('HDEL', KEYS[2], ARGV[2])
return 1`

/** All there is: whether the execution exists, the begun tasks, and fields and values of the results in turn. */
export const LOOK = `local function plain(texts)
for i = 1, #texts do texts[i] = '=' .. texts[i] end
return texts end
return {redis.call('EXISTS', KEYS[1]), plain(redis.call('HKEYS', KEYS[2])), plain(redis.call('HGETALL', KEYS[3]))}`

/** One task, ARGV[1]: its result, or 1 if it is begun, or 0. */
export const LOOK_AT_TASK = `local result = redis.call('HGET', KEYS[3], ARGV[1])
return result and '=' .. result or redis.call('HEXISTS', KEYS[2], ARGV[1])`
