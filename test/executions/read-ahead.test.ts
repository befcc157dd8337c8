import { setImmediate as endOfTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createReadAhead, type Look } from '../../src/executions/read-ahead.ts'

const ME = {}
const OTHER = {}
const THERE: Look = { inProgress: true }
const GONE: Look = { inProgress: false }

/** A request that a test answers when it wants to. */
function request() {
  let settle: { resolve: (look: Look) => void; reject: (error: Error) => void } | undefined
  const answered = new Promise<Look>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return {
    ask: () => answered,
    answer: (look: Look) => settle?.resolve(look),
    fail: () => settle?.reject(new Error('The connection is closed.')),
  }
}

describe('the read-ahead', () => {
  const setUp = () => {
    const readAhead = createReadAhead()
    const send = (by: object, isWrite: boolean) => {
      const { ask, ...reply } = request()
      return { ...reply, ended: readAhead.watch('x', { by, isWrite, ask, look: (look) => look }) }
    }
    return { readAhead, read: (by = ME) => send(by, false), write: (by = ME) => send(by, true) }
  }

  it.each([false, true])('knows what an answer told until the turn ends (of a write: %s)', async (isWrite) => {
    const { readAhead, read, write } = setUp()
    const asked = isWrite ? write() : read()
    expect(readAhead.recall('x', ME)).toEqual({})
    asked.answer(THERE)

    await asked.ended

    expect(readAhead.recall('x', ME)).toBe(THERE)
    await Promise.resolve()
    expect(readAhead.recall('x', ME)).toBe(THERE)
    await endOfTurn()
    expect(readAhead.recall('x', ME)).toEqual({})
  })

  it('tells it neither of another execution nor to another client', async () => {
    const { readAhead, read } = setUp()
    const asked = read()
    asked.answer(THERE)

    await asked.ended

    expect(readAhead.recall('y', ME)).toEqual({})
    expect(readAhead.recall('x', OTHER)).toEqual({})
  })

  it.each([
    ['the same client', ME],
    ['another client', OTHER],
  ])('forgets it as soon as %s begins a change', async (_, by) => {
    const { readAhead, read, write } = setUp()
    const asked = read()
    asked.answer(THERE)
    await asked.ended

    const change = write(by)

    expect(readAhead.recall('x', ME)).toEqual({})
    change.answer(GONE)
    await change.ended
  })

  it.each(['answer', 'fail'] as const)(
    'never keeps what was asked before a change and answered after it (%s)',
    async (how) => {
      const { readAhead, read, write } = setUp()
      const asked = read()
      const change = write(OTHER)
      if (how === 'answer') change.answer(GONE)
      else change.fail()
      await change.ended.catch(() => undefined)

      asked.answer(THERE)
      await asked.ended

      expect(readAhead.recall('x', ME)).toEqual({})
    },
  )

  it.each(['answer', 'fail'] as const)(
    'forgets in the same turn what was answered before a change ended (%s)',
    async (how) => {
      const { readAhead, read, write } = setUp()
      const change = write(OTHER)
      const asked = read()
      asked.answer(THERE)
      await asked.ended
      expect(readAhead.recall('x', ME)).toBe(THERE)

      if (how === 'answer') change.answer(GONE)
      else change.fail()
      await change.ended.catch(() => undefined)

      expect(readAhead.recall('x', ME)).toEqual({})
    },
  )

  it('keeps the answer of neither of two changes that overlap', async () => {
    const { readAhead, write } = setUp()
    const [first, second] = [write(), write()]
    second.answer(GONE)
    await second.ended
    first.answer(THERE)
    await first.ended

    expect(readAhead.recall('x', ME)).toEqual({})
  })

  it('passes on what went wrong', async () => {
    const { read } = setUp()
    const asked = read()
    asked.fail()

    await expect(asked.ended).rejects.toThrow('The connection is closed.')
  })
})
