import type { WorkerStore } from '../../src/executions/index.ts'

/** What a worker tells while it works; each is waited for, so that a killed worker has told all that it did before. */
export interface Telling {
  begun(): Promise<void>
  /**
   * The work of a task is done: it costs something, so it must not be done over a committed result. Resolves with what comes
   * of it: the value, where one is given.
   */
  computes(task: string, value?: unknown): Promise<unknown>
  /** All tasks have results, which are handed over before anything is disposed of. */
  finished(results: Readonly<Record<string, unknown>>): Promise<void>
}

export interface Work {
  readonly id: string
  readonly tasks: readonly string[]
  /** Whether nobody has begun it for sure: the message that begins an execution is delivered again until it is answered. */
  readonly isStart: boolean
}

/**
 * Works on an execution as a worker of step functions does that gets one message for each task, from wherever an earlier one
 * has left it to the end. An execution that is not in progress has been disposed of: there is nothing left to do.
 */
export async function workOn(store: WorkerStore, { id, tasks, isStart }: Work, telling: Telling): Promise<void> {
  if (isStart) await store.beginExecution(id)
  await telling.begun()
  while (await store.isExecutionInProgress(id)) {
    const results = await store.getExecutionTaskResults(id)
    const next = tasks.find((task) => !(task in results))
    if (next === undefined) {
      await telling.finished({ ...results })
      await store.disposeExecution(id)
      return
    }
    await store.isExecutionTaskInProgress(id, next)
    await store.beginExecutionTask(id, next)
    const value = await telling.computes(next)
    await store.commitExecutionTaskResult(id, next, value)
    await store.getExecutionTaskResult(id, next)
  }
}
