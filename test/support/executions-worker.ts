import type { WorkerStore } from '../../src/executions/index.ts'

/** One task per message, or all in one message until a task fails. */
export type Mode = 'isolated' | 'until error'

export interface Workflow {
  readonly executionId: string
  /** The ids of the tasks of its one function, in their order. */
  readonly tasks: readonly string[]
  readonly run?: (task: string) => Promise<unknown>
  /** What the function waits for before each task, such as a file. */
  readonly between?: () => Promise<unknown>
}

/** What a worker keeps for a task that resolved to nothing. */
const NOTHING = '<empty_execution_result>'
const FUNCTION = 'main'

/** Ends a pass over the function: what there was to do was done or is somebody else's. */
class Interrupt extends Error {}

/**
 * Runs an execution from its first message to its disposal, asking its store exactly what idioteque's worker asks, in that
 * order. Resolves to the number of messages.
 */
export async function runExecution(store: WorkerStore, workflow: Workflow, mode: Mode): Promise<number> {
  const { executionId } = workflow
  await store.beginExecution(executionId)
  const messages: (string | undefined)[] = [undefined]
  let known = await store.getExecutionTaskResults(executionId)
  for (let count = 0; ; count++) {
    if (messages.length === 0) return count
    const target = messages.shift()
    // Without what one message keeps in mind, each of them asks anew.
    if (mode === 'isolated' && count > 0) known = await store.getExecutionTaskResults(executionId)
    try {
      await passOver(store, { workflow, target, known, enqueue: (task) => messages.push(task) })
    } catch (error) {
      if (!(error instanceof Interrupt)) throw error
    }
  }
}

interface Pass {
  readonly workflow: Workflow
  /** The task to run now; its function is passed over up to it. */
  readonly target: string | undefined
  readonly known: { [task: string]: unknown }
  readonly enqueue: (task: string | undefined) => void
}

/** What the worker does with one message. */
async function passOver(store: WorkerStore, pass: Pass): Promise<void> {
  const { executionId, tasks, between, run = async (task: string) => `result of ${task}` } = pass.workflow
  if (!(await store.isExecutionInProgress(executionId))) return
  await take(store, pass, FUNCTION, async () => {
    for (const task of tasks) {
      if (between !== undefined) await between()
      await take(store, pass, `${FUNCTION}:${task}`, () => run(task))
    }
  })
  await store.disposeExecution(executionId)
}

async function take(store: WorkerStore, pass: Pass, task: string, run: () => Promise<unknown>): Promise<unknown> {
  const { workflow, target, known, enqueue } = pass
  const { executionId } = workflow
  if (target === task || target?.startsWith(`${task}:`)) {
    const result = (await run()) ?? NOTHING
    known[task] = result
    await store.commitExecutionTaskResult(executionId, task, result)
    enqueue(task.includes(':') ? FUNCTION : undefined)
    throw new Interrupt()
  }
  const result = known[task] ?? (await store.getExecutionTaskResult(executionId, task))
  if (result !== undefined) return result
  if (await store.isExecutionTaskInProgress(executionId, task)) throw new Interrupt()
  await store.beginExecutionTask(executionId, task)
  enqueue(task)
  throw new Interrupt()
}
