/**
 * What a worker of step functions asks of its store, structurally the same as idioteque's interface of that name.
 *
 * An execution has an id, its tasks have ids of their own within it. A task is begun by whoever enqueues it and committed
 * by whoever ran it.
 */
export interface WorkerStore {
  beginExecution(executionId: string): Promise<void>
  /** The committed results by task id; a task that resolved to `undefined` is there with that value. */
  getExecutionTaskResults(executionId: string): Promise<{ [taskId: string]: unknown }>
  /** The committed result, `undefined` where there is none. */
  getExecutionTaskResult(executionId: string, taskId: string): Promise<unknown>
  beginExecutionTask(executionId: string, taskId: string): Promise<unknown>
  commitExecutionTaskResult(executionId: string, taskId: string, value: unknown): Promise<void>
  isExecutionInProgress(executionId: string): Promise<boolean>
  /** Whether the task was begun and has no result yet. */
  isExecutionTaskInProgress(executionId: string, taskId: string): Promise<boolean>
  disposeExecution(executionId: string): Promise<void>
}

/** The store of this package: a `WorkerStore` that says whether a task was claimed. What wraps one is best a `WorkerStore`. */
export interface ExecutionStore extends WorkerStore {
  /**
   * Resolves to true when this call claimed the task; to false when it was begun or committed before, or its execution has
   * gone. Never a reason to give up: after a crash the task may have to be run by somebody who did not claim it.
   */
  beginExecutionTask(executionId: string, taskId: string): Promise<boolean>
  /** So that the store fits where a worker's own interface has a begin without an answer. */
  beginExecutionTask(executionId: string, taskId: string): Promise<void>
}
