/** What one answer of Redis told about an execution. */
export interface Look {
  readonly inProgress?: boolean
  /** The only task that the following tell of; absent where they tell of all. */
  readonly only?: string
  readonly results?: ReadonlyMap<string, string>
  readonly begun?: ReadonlySet<string>
}

/** An operation on an execution while it is under way. */
export interface Asking<Answer> {
  /** Who asks: what one client saw is told to nobody else, for another one may be connected to another server. */
  readonly by: object
  /** Whether it may change the execution. */
  readonly isWrite: boolean
  readonly ask: () => Promise<Answer>
  readonly look: (answer: Answer) => Look
}

/** The latest look at each execution, for as long as nothing runs but promises that waited for it. */
export interface ReadAhead {
  /** What is known at this instant about the execution of that key. */
  recall(key: string, by: object): Look
  /** Asks, and remembers what the answer told unless anybody here changed the execution meanwhile. */
  watch<Answer>(key: string, asking: Asking<Answer>): Promise<Answer>
}

interface State {
  underWay: number
  changes: number
  look: Look
  by?: object
}

const NOTHING: Look = {}

/**
 * A worker asks for several things one right after the other. Its later questions are answered from the first answer, but
 * only in the same turn of the event loop, before anything else can happen here. So no answer is older than a request that
 * was still under way in this turn. Where there is no `process.nextTick` nothing is remembered.
 */
export function createReadAhead(): ReadAhead {
  const states = new Map<string, State>()

  const settle = (key: string, state: State) => {
    if (state.underWay === 0 && state.look === NOTHING) states.delete(key)
  }
  const remember = (key: string, state: State, { by, look }: { readonly by: object; readonly look: Look }) => {
    if (atEndOfTurn === undefined) return
    state.by = by
    state.look = look
    atEndOfTurn(() => {
      if (state.look === look) state.look = NOTHING
      settle(key, state)
    })
  }

  return {
    recall: (key, by) => {
      const state = states.get(key)
      return state?.by === by ? state.look : NOTHING
    },
    watch: async (key, { by, isWrite, ask, look }) => {
      const state = states.get(key) ?? { underWay: 0, changes: 0, look: NOTHING }
      states.set(key, state)
      state.underWay += 1
      if (isWrite) forget(state)
      const seen = state.changes
      try {
        const answer = await ask()
        const isUndisturbed = state.changes === seen
        if (isWrite) forget(state)
        if (isUndisturbed) remember(key, state, { by, look: look(answer) })
        return answer
      } catch (error) {
        if (isWrite) forget(state)
        throw error
      } finally {
        state.underWay -= 1
        settle(key, state)
      }
    },
  }
}

function forget(state: State): void {
  state.changes += 1
  state.look = NOTHING
}

// Taken once, so that a test's fake timers cannot keep a look alive.
const atEndOfTurn =
  typeof process === 'object' && typeof process.nextTick === 'function' ? process.nextTick.bind(process) : undefined
