import type { WorkerStore } from '../../src/executions/index.ts'
import { executionKeys } from '../../src/executions/keys.ts'

/** Sends one command and resolves to its reply. */
export type Send = (...words: string[]) => Promise<unknown>

/** A store that spends commands as the existing one does, which ours is compared with. Its flaws are left in. */
export function createModelStore(send: Send, seconds: number): WorkerStore {
  const expire = (key: string) => send('EXPIRE', key, String(seconds))
  return {
    beginExecution: async (id) => {
      await send('SET', id, 'true')
      await expire(id)
    },
    getExecutionTaskResults: async (id) => {
      const results: Record<string, unknown> = {}
      const list = await send('HGETALL', executionKeys('', id).results)
      const words = Array.isArray(list) ? list.map(String) : []
      for (let at = 0; at < words.length; at += 2) results[words[at] ?? ''] = parse(words[at + 1])
      return results
    },
    getExecutionTaskResult: async (id, task) => parse(await send('HGET', executionKeys('', id).results, task)),
    isExecutionInProgress: async (id) => Boolean(await send('GET', id)),
    isExecutionTaskInProgress: async (id, task) =>
      Boolean(await send('HGET', executionKeys('', id).transactions, task)),
    beginExecutionTask: async (id, task) => {
      await send('HSET', executionKeys('', id).transactions, task, 'true')
      await expire(executionKeys('', id).transactions)
    },
    commitExecutionTaskResult: async (id, task, value) => {
      const { transactions, results } = executionKeys('', id)
      await Promise.all([
        send('HDEL', transactions, task),
        send('HSET', results, task, JSON.stringify(value)),
        expire(results),
      ])
    },
    disposeExecution: async (id) => {
      await Promise.all(Object.values(executionKeys('', id)).map((key: string) => send('DEL', key)))
    },
  }
}

const parse = (text: unknown): unknown => (typeof text === 'string' ? JSON.parse(text) : undefined)
