import type { ExecutionKeys } from './keys.ts'

/** A place for executions: the eight operations on checked names and encoded results. */
export interface Backend {
  begin(keys: ExecutionKeys): Promise<void>
  results(keys: ExecutionKeys): Promise<ReadonlyMap<string, string>>
  result(keys: ExecutionKeys, task: string): Promise<string | undefined>
  /** True when this call claimed the task. */
  beginTask(keys: ExecutionKeys, task: string): Promise<boolean>
  commit(keys: ExecutionKeys, result: { readonly task: string; readonly text: string }): Promise<void>
  isInProgress(keys: ExecutionKeys): Promise<boolean>
  isTaskInProgress(keys: ExecutionKeys, task: string): Promise<boolean>
  dispose(keys: ExecutionKeys): Promise<void>
}
