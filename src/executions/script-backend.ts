import type { Backend } from './backend.ts'
import { KeyTakenError } from './errors.ts'
import type { ExecutionKeys } from './keys.ts'
import type { Look, ReadAhead } from './read-ahead.ts'
import type { ScriptClient } from './script-client.ts'
import { BEGIN, BEGIN_TASK, COMMIT, LOOK, LOOK_AT_TASK } from './scripts.ts'
import { isClaim, isForeign, isThere, lookOf, taskLookOf } from './script-answers.ts'

export interface ScriptBackendOptions {
  readonly seconds: number | undefined
  /** Shared by all stores of the process, so that each knows what another one changed. */
  readonly readAhead: ReadAhead
}

/**
 * Executions over a client that runs scripts. Every operation is one command; what was told by the answer before, in the
 * same turn of the event loop, is none.
 */
export function scriptBackend(client: ScriptClient, options: ScriptBackendOptions): Backend {
  const { seconds, readAhead } = options
  const ttl = seconds === undefined ? '' : String(seconds)

  const evaluate = (keys: ExecutionKeys, { script, args }: { script: string; args: readonly string[] }) =>
    client.evaluate(script, [keys.execution, keys.transactions, keys.results], args)
  const write = (keys: ExecutionKeys, script: string, args: readonly string[]) =>
    readAhead.watch(keys.execution, {
      by: client,
      isWrite: true,
      ask: () => evaluate(keys, { script, args: [ttl, ...args] }),
      look: (answer): Look => (isForeign(answer) ? {} : { inProgress: isThere(answer) }),
    })
  const read = (keys: ExecutionKeys, ask: () => Promise<Look>) =>
    readAhead.watch(keys.execution, { by: client, isWrite: false, ask, look: (look) => look })
  const lookAtTask = async (keys: ExecutionKeys, task: string) => {
    const known = readAhead.recall(keys.execution, client)
    if (known.results !== undefined && (known.only ?? task) === task) return known
    return read(keys, async () => taskLookOf(task, await evaluate(keys, { script: LOOK_AT_TASK, args: [task] })))
  }

  return {
    begin: async (keys) => {
      if (isForeign(await write(keys, BEGIN, []))) throw new KeyTakenError(keys.execution)
    },
    results: async (keys) => {
      const { results } = await read(keys, async () => lookOf(await evaluate(keys, { script: LOOK, args: [] })))
      return results ?? new Map()
    },
    result: async (keys, task) => (await lookAtTask(keys, task)).results?.get(task),
    beginTask: async (keys, task) => isClaim(await write(keys, BEGIN_TASK, [task])),
    commit: async (keys, { task, text }) => {
      await write(keys, COMMIT, [task, text])
    },
    isInProgress: async (keys) => {
      const known = readAhead.recall(keys.execution, client).inProgress
      if (known !== undefined) return known
      const { inProgress } = await read(keys, async () => ({ inProgress: await client.exists(keys.execution) }))
      return inProgress ?? false
    },
    isTaskInProgress: async (keys, task) => (await lookAtTask(keys, task)).begun?.has(task) ?? false,
    dispose: async (keys) =>
      readAhead.watch(keys.execution, {
        by: client,
        isWrite: true,
        ask: () => client.remove([keys.execution, keys.transactions, keys.results]),
        look: () => ({ inProgress: false }),
      }),
  }
}
