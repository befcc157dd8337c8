import { InterruptedError, isRedisError, RedisError } from '../../errors.ts'
import { serverScriptCommand } from '../../redis/scripts.ts'
import { ask, integerOf, listOf, type Command, type Transport } from '../../redis/transport.ts'
import { keysOf } from './look.ts'
import { callsIn, LOOK, WORST_LOOK } from './server-look.ts'
import { SIGHTINGS_KEY } from './sightings.ts'

/** An execution that is due, in the state in which it was judged. */
export interface DueExecution {
  readonly id: string
  readonly state: string
  /** Whether it has its own key. */
  readonly isWhole: boolean
}

/**
 * Deletes all keys of each execution that still is in the state in which it was judged, together with what is remembered of
 * it; an execution that has made a step meanwhile, or has got an expiry, is in another. KEYS[1] the memory, then three for
 * each execution; ARGV the states. Answers 1 where it deleted, 2 where nothing was left and 0
 * where it stays, then the calls.
 */
const REMOVE = `${LOOK}
local answers = {}
for at = 2, #KEYS, 3 do
  local now = look(at)
  local isSame = now == ARGV[#answers + 1]
  if isSame then
    ask('UNLINK', KEYS[at], KEYS[at + 1], KEYS[at + 2])
    ask('HDEL', KEYS[1], KEYS[at])
  end
  answers[#answers + 1] = isSame and 1 or now == '-' and 2 or 0
end
return report(answers)`

/** What became of an execution that was due. */
export type Removal = 'changed' | 'removed' | 'gone'

const REMOVALS: readonly Removal[] = ['changed', 'removed', 'gone']

/** The commands that the removal of one execution runs at most. */
export const WORST_REMOVAL: readonly string[] = [...WORST_LOOK, 'UNLINK', 'HDEL']

/**
 * Removes executions that are due, each whole or not at all. Costs 1 EVAL and in it up to 15 commands for each.
 *
 * @returns what became of each: it was removed, somebody else had removed it, or it has changed since it was judged.
 * @throws RedisError
 */
export async function removeExecutions(
  send: Transport,
  prefix: string,
  due: readonly DueExecution[],
): Promise<readonly Removal[]> {
  if (due.length === 0) return []
  try {
    const answers = listOf(await ask(send, removalCommand(prefix, due)))
    return due.map((_, at) => REMOVALS[integerOf(answers[at] ?? null)] ?? 'changed')
  } catch (error) {
    const unknown = `It is unknown how many of the last ${due.length} executions went.`
    if (error instanceof InterruptedError) throw new InterruptedError(`${error.message} ${unknown}`)
    if (!isRedisError(error, 'REDIS_UNREACHABLE')) throw error
    const message = `Redis did not answer a deletion. ${unknown} The next run completes it.`
    throw new RedisError('REDIS_UNREACHABLE', message, { cause: error })
  }
}

const removalCommand = (prefix: string, due: readonly DueExecution[]): Command =>
  serverScriptCommand({
    lua: REMOVE,
    keys: [SIGHTINGS_KEY, ...due.flatMap(({ id }) => keysOf(prefix, id))],
    args: due.map(({ state }) => state),
    inner: (reply) => (reply === undefined ? due.flatMap(() => WORST_REMOVAL) : callsIn(reply, due.length)),
  })
