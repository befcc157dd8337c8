/** One operation of a store, or the expiry of an execution. */
export interface Step {
  readonly operation:
    'begin' | 'results' | 'result' | 'begin task' | 'commit' | 'is in progress' | 'is task in progress' | 'dispose'
  readonly id: string
  readonly task: string
  readonly value: unknown
}

/** What there is: executions by id. Never changed, only replaced. */
export type State = ReadonlyMap<string, Execution>

interface Execution {
  readonly begun: ReadonlySet<string>
  readonly results: ReadonlyMap<string, unknown>
}

/** What one step answers and leaves, told in the plainest way. */
export function predict(state: State, step: Step): { readonly answer: unknown; readonly state: State } {
  const { operation, id, task, value } = step
  const old = state.get(id)
  const { begun, results } = old ?? { begun: new Set<string>(), results: new Map<string, unknown>() }
  const now = (execution: Execution, answer?: unknown) => ({ state: new Map(state).set(id, execution), answer })

  switch (operation) {
    case 'begin':
      return now({ begun, results })
    case 'dispose':
      return { state: new Map([...state].filter(([other]) => other !== id)), answer: undefined }
    case 'begin task': {
      if (old === undefined || begun.has(task) || results.has(task)) return { state, answer: false }
      return now({ begun: new Set([...begun, task]), results }, true)
    }
    case 'commit': {
      if (old === undefined) return { state, answer: undefined }
      const left = new Set([...begun].filter((other) => other !== task))
      return now({ begun: left, results: new Map([[task, value], ...results]) })
    }
    case 'results':
      return { state, answer: results }
    case 'result':
      return { state, answer: results.get(task) }
    case 'is in progress':
      return { state, answer: old !== undefined }
    case 'is task in progress':
      return { state, answer: begun.has(task) }
    default:
      return operation satisfies never
  }
}
