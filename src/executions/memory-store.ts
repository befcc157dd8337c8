import { systemClock, type Clock } from '../clock.ts'
import type { Backend } from './backend.ts'
import { createExecutionStore } from './execution-store.ts'
import { expirySeconds } from './expiry.ts'
import type { ExecutionKeys } from './keys.ts'
import type { ExecutionStore } from './worker-store.ts'

export interface MemoryStoreOptions {
  /** Milliseconds that an execution lives after its last step, rounded up to whole seconds. @default none */
  readonly ttl?: number | undefined
  /** Epoch milliseconds. @default the system's */
  readonly clock?: Clock | undefined
}

interface Execution {
  readonly begun: Set<string>
  readonly results: Map<string, string>
  expiresAtMs: number
}

/**
 * A store inside this process, with the contract of the Redis store, for tests and a first run. What has expired is
 * dropped when an execution begins or is asked for.
 *
 * @throws InputError for a ttl that is no positive number.
 */
export function createMemoryStore({ ttl, clock = systemClock }: MemoryStoreOptions = {}): ExecutionStore {
  const seconds = expirySeconds(ttl) ?? Infinity
  return createExecutionStore(memoryBackend({ livesMs: seconds * 1000, clock }))
}

function memoryBackend({ livesMs, clock }: { readonly livesMs: number; readonly clock: Clock }): Backend {
  // In order of their last step, so the expired ones come first.
  const executions = new Map<string, Execution>()

  const find = ({ execution: key }: ExecutionKeys) => {
    const nowMs = clock()
    for (const [old, { expiresAtMs }] of executions) {
      if (expiresAtMs > nowMs) break
      executions.delete(old)
    }
    const execution = executions.get(key)
    return execution !== undefined && execution.expiresAtMs > nowMs ? execution : undefined
  }
  const step = (keys: ExecutionKeys) => {
    const execution = find(keys)
    if (execution !== undefined) refresh(keys, execution)
    return execution
  }
  const refresh = ({ execution: key }: ExecutionKeys, execution: Execution) => {
    execution.expiresAtMs = clock() + livesMs
    executions.delete(key)
    executions.set(key, execution)
  }

  return {
    begin: async (keys) => refresh(keys, find(keys) ?? { begun: new Set(), results: new Map(), expiresAtMs: 0 }),
    results: async (keys) => find(keys)?.results ?? new Map(),
    result: async (keys, task) => find(keys)?.results.get(task),
    beginTask: async (keys, task) => {
      const execution = step(keys)
      if (execution === undefined || execution.begun.has(task) || execution.results.has(task)) return false
      execution.begun.add(task)
      return true
    },
    commit: async (keys, { task, text }) => {
      const execution = step(keys)
      if (execution === undefined) return
      if (!execution.results.has(task)) execution.results.set(task, text)
      execution.begun.delete(task)
    },
    isInProgress: async (keys) => find(keys) !== undefined,
    isTaskInProgress: async (keys, task) => find(keys)?.begun.has(task) ?? false,
    dispose: async ({ execution: key }) => {
      executions.delete(key)
    },
  }
}
