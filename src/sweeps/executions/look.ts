import { RedisError } from '../../errors.ts'
import { executionKeys, type ExecutionPart } from '../../executions/keys.ts'
import { serverScriptCommand } from '../../redis/scripts.ts'
import { listOf, textOf, type Command, type Reply, type Value } from '../../redis/transport.ts'
import { callsIn, LOOK, WORST_LOOK } from './server-look.ts'

/** How an execution stands; `first` is the first of its keys that exists. */
export type Look =
  /** None of its keys exists. */
  | { readonly kind: 'gone' }
  /** `expiring`: a key has an expiry; `odd`: one is not what a store makes of it. */
  | { readonly kind: 'expiring' | 'odd'; readonly first: ExecutionPart }
  /** Nothing will ever remove it but a sweep. `state` changes with each step of the execution. */
  | { readonly kind: 'lasting'; readonly first: ExecutionPart; readonly state: string }

/** Answers `look` for each execution, then the calls. KEYS: three for each. */
const LOOK_AT = `${LOOK}
local answers = {}
for at = 1, #KEYS, 3 do answers[#answers + 1] = look(at) end
return report(answers)`

/** The command that looks at executions. Costs 1 EVAL and in it 3 to 13 reads for each. */
export const lookCommand = (prefix: string, ids: readonly string[]): Command =>
  serverScriptCommand({
    lua: LOOK_AT,
    keys: ids.flatMap((id) => keysOf(prefix, id)),
    args: [],
    inner: (reply) => (reply === undefined ? ids.flatMap(() => WORST_LOOK) : callsIn(reply, ids.length)),
  })

/** The three keys of an execution in the order in which the scripts expect them. */
export function keysOf(prefix: string, id: string): readonly [string, string, string] {
  const { execution, transactions, results } = executionKeys(prefix, id)
  return [execution, transactions, results]
}

/**
 * Reads what `lookCommand` answered, one look for each of `count` executions.
 *
 * @throws RedisError when it is not what the script answers.
 */
export const readLooks = (reply: Reply, count: number): readonly Look[] =>
  Array.from({ length: count }, (_, at) => readLook(listOf(reply)[at]))

const PARTS: Readonly<Record<string, ExecutionPart>> = { 0: 'execution', 1: 'transactions', 2: 'results' }

const UNKNOWN = 'Redis answered a script with something else than the script says. Is something between it and us?'

function readLook(value: Value = null): Look {
  const text = textOf(value)
  if (text === '-') return { kind: 'gone' }
  const [, place = '', mark = ''] = /^([012])(x|\?|=[\da-f]{16})$/.exec(text) ?? []
  const first = PARTS[place]
  if (first === undefined) throw new RedisError('REDIS_REFUSED', UNKNOWN)
  if (mark === 'x') return { kind: 'expiring', first }
  return mark === '?' ? { kind: 'odd', first } : { kind: 'lasting', first, state: text }
}
