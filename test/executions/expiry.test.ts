import { describe, expect, it } from 'vitest'
import { expirySeconds } from '../../src/executions/expiry.ts'
import { createMemoryStore } from '../../src/executions/index.ts'
import { fakeClock } from '../support/clock.ts'

describe('a time to live', () => {
  it.each([
    [undefined, undefined],
    [0.001, 1],
    [1, 1],
    [999, 1],
    [1_000, 1],
    [1_000.5, 2],
    [1_001, 2],
    [86_400_000, 86_400],
    [Number.MAX_SAFE_INTEGER, 9_007_199_254_741],
  ])('of %s ms is %s whole seconds', (ttl, seconds) => {
    expect(expirySeconds(ttl)).toBe(seconds)
  })
})

describe('the store in memory', () => {
  it('drops an execution with all it holds a ttl after its last step, and not before', async () => {
    const clock = fakeClock('2026-11-21T12:00Z')
    const store = createMemoryStore({ ttl: 9_001, clock })
    await store.beginExecution('x')
    await store.commitExecutionTaskResult('x', 'pay', 1)
    clock.advance(9_000)
    await store.beginExecutionTask('x', 'ship')
    clock.advance(9_999)

    expect(await store.isExecutionInProgress('x')).toBe(true)
    expect(await store.isExecutionTaskInProgress('x', 'ship')).toBe(true)
    expect(await store.getExecutionTaskResults('x')).toEqual({ pay: 1 })

    clock.advance(1)
    expect(await store.isExecutionInProgress('x')).toBe(false)
    expect(await store.isExecutionTaskInProgress('x', 'ship')).toBe(false)
    expect(await store.getExecutionTaskResults('x')).toEqual({})
    expect(await store.beginExecutionTask('x', 'mail')).toBe(false)

    await store.beginExecution('x')
    expect(await store.getExecutionTaskResults('x')).toEqual({})
  })

  it('is not kept alive by looking', async () => {
    const clock = fakeClock('2026-11-21T12:00Z')
    const store = createMemoryStore({ ttl: 10_000, clock })
    await store.beginExecution('x')
    clock.advance(9_000)
    await store.isExecutionInProgress('x')
    await store.getExecutionTaskResults('x')
    clock.advance(1_000)

    expect(await store.isExecutionInProgress('x')).toBe(false)
  })

  it('keeps what it was given, whatever becomes of the object', async () => {
    const store = createMemoryStore()
    const order = { id: 1 }
    await store.beginExecution('x')
    await store.commitExecutionTaskResult('x', 'pay', order)
    order.id = 2
    const results = await store.getExecutionTaskResults('x')
    results['pay'] = 'changed'

    expect(await store.getExecutionTaskResult('x', 'pay')).toEqual({ id: 1 })
  })
})
