import { InputError } from '../errors.ts'
import type { Backend } from './backend.ts'
import { executionKeys, isExecutionId, LONE_SURROGATE } from './keys.ts'
import { decodeResult, encodeResult } from './values.ts'
import type { ExecutionStore } from './worker-store.ts'

/** The store over a backend: checks names, and turns results into texts and back. Throws InputError for a bad prefix. */
export function createExecutionStore(backend: Backend, prefix = ''): ExecutionStore {
  if (typeof prefix !== 'string' || LONE_SURROGATE.test(prefix)) {
    throw new InputError('The option prefix must be a text that begins the name of every key.')
  }
  const keysOf = (executionId: string) => executionKeys(prefix, checkedExecution(executionId))
  const store = {
    beginExecution: async (id: string) => backend.begin(keysOf(id)),
    getExecutionTaskResults: async (id: string) => {
      const keys = keysOf(id)
      // Without a prototype, since tasks may be called `constructor` or `__proto__`.
      const results: Record<string, unknown> = Object.create(null)
      for (const [task, text] of await backend.results(keys)) {
        results[task] = decodeResult(text, { key: keys.results, task })
      }
      return results
    },
    getExecutionTaskResult: async (id: string, task: string) => {
      const keys = keysOf(id)
      const text = await backend.result(keys, checkedTask(task))
      return text === undefined ? undefined : decodeResult(text, { key: keys.results, task })
    },
    beginExecutionTask: async (id: string, task: string) => backend.beginTask(keysOf(id), checkedTask(task)),
    commitExecutionTaskResult: async (id: string, task: string, value: unknown) => {
      const keys = keysOf(id)
      const text = encodeResult(value, { key: keys.results, task: checkedTask(task) })
      await backend.commit(keys, { task, text })
    },
    isExecutionInProgress: async (id: string) => backend.isInProgress(keysOf(id)),
    isExecutionTaskInProgress: async (id: string, task: string) =>
      backend.isTaskInProgress(keysOf(id), checkedTask(task)),
    disposeExecution: async (id: string) => backend.dispose(keysOf(id)),
  }
  // The second form of begin is for those who do not read its answer.
  return store as ExecutionStore
}

function checkedExecution(id: string): string {
  if (typeof id === 'string' && isExecutionId(id)) return id
  throw new InputError(
    'An execution id must be a text that is not empty, holds no half characters, and does not end in -transactions or ' +
      '-results, as the keys of another execution do.',
  )
}

function checkedTask(id: string): string {
  if (typeof id === 'string' && id !== '' && !LONE_SURROGATE.test(id)) return id
  throw new InputError('A task id must be a text that is not empty and holds no half characters.')
}
