/** Runs a task after all earlier tasks of the same key have settled. Tasks of other keys run beside it. */
export type InTurn<Key> = <Result>(key: Key, task: () => Promise<Result>) => Promise<Result>

/** One queue for each key, kept only while something waits in it. */
export function createQueues<Key>(): InTurn<Key> {
  const tails = new Map<Key, Promise<unknown>>()
  return async (key, task) => {
    const before = tails.get(key) ?? Promise.resolve()
    const turn = before.then(task, task)
    const tail = turn.catch(() => undefined)
    tails.set(key, tail)
    try {
      return await turn
    } finally {
      if (tails.get(key) === tail) tails.delete(key)
    }
  }
}
