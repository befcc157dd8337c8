import { describe, expect, it } from 'vitest'
import { createLifecycle, type Part } from '../src/lifecycle.ts'

const never = () => new Promise<void>(() => {})

/** Parts that note what is asked of them, and a lifecycle of them. */
function setUp(faults: Readonly<Record<string, Partial<Part>>> = {}, stopWithinMs = 1_000) {
  const done: string[] = []
  const failures: (readonly [part: string, error: unknown])[] = []
  const parts = ['redis', 'bot', 'http'].map((name): Part => {
    const { start, stop } = faults[name] ?? {}
    return {
      name,
      start: async () => {
        done.push(`start ${name}`)
        await start?.()
      },
      stop: () => {
        done.push(`stop ${name}`)
        return stop?.() ?? Promise.resolve()
      },
    }
  })
  const onFailure = (part: string, error: unknown) => void failures.push([part, error])
  return { done, failures, lifecycle: createLifecycle(parts, { stopWithinMs, onFailure }) }
}

const broken = new Error('It broke.')
const fails = () => Promise.reject(broken)
const throws = () => {
  throw broken
}

describe('a lifecycle', () => {
  it('starts its parts in order and stops them in reverse', async () => {
    const { lifecycle, done, failures } = setUp()

    await lifecycle.start()
    await lifecycle.stop()

    expect(done).toEqual(['start redis', 'start bot', 'start http', 'stop http', 'stop bot', 'stop redis'])
    expect(failures).toEqual([])
  })

  it('starts a part only when the one before has started, and stops likewise', async () => {
    const moments: string[] = []
    const slow = (name: string): Part => ({
      name,
      start: async () => {
        moments.push(`${name} starts`)
        await Promise.resolve()
        moments.push(`${name} started`)
      },
      stop: async () => {
        moments.push(`${name} stops`)
        await Promise.resolve()
        moments.push(`${name} stopped`)
      },
    })
    const lifecycle = createLifecycle([slow('a'), slow('b')], { stopWithinMs: 1_000 })

    await lifecycle.start()
    await lifecycle.stop()

    expect(moments).toEqual(
      ['a starts', 'a started', 'b starts', 'b started'].concat('b stops', 'b stopped', 'a stops', 'a stopped'),
    )
  })

  it('stops each part once, however often it is asked to', async () => {
    const { lifecycle, done } = setUp()
    await lifecycle.start()

    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    await lifecycle.stop()

    expect(done.filter((what) => what.startsWith('stop'))).toHaveLength(3)
  })

  it('stops nothing that was not started', async () => {
    const { lifecycle, done } = setUp()

    await lifecycle.stop()

    expect(done).toEqual([])
  })

  it.each([
    ['rejects', fails],
    ['throws at once', throws],
  ])('stops what it has started, and throws the failure, when the start of a part %s', async (_, start) => {
    const { lifecycle, done } = setUp({ bot: { start } })

    await expect(lifecycle.start()).rejects.toBe(broken)

    expect(done).toEqual(['start redis', 'start bot', 'stop bot', 'stop redis'])
  })

  it('throws what failed its start, not what failed the stop after it', async () => {
    const { lifecycle } = setUp({ bot: { start: fails }, redis: { stop: () => Promise.reject(new Error('Another.')) } })

    await expect(lifecycle.start()).rejects.toBe(broken)
  })

  it.each([
    ['rejects', fails],
    ['throws at once', throws],
  ])('reaches every part though the stop of one %s', async (_, stop) => {
    const { lifecycle, done, failures } = setUp({ bot: { stop } })
    await lifecycle.start()

    await expect(lifecycle.stop()).rejects.toMatchObject({ name: 'AggregateError', errors: [broken] })

    expect(done.slice(-3)).toEqual(['stop http', 'stop bot', 'stop redis'])
    expect(failures).toEqual([['bot', broken]])
  })

  it('reaches every part though one hangs, within its deadline', async () => {
    const { lifecycle, done, failures } = setUp({ http: { stop: never } }, 50)
    await lifecycle.start()
    const startedAtMs = performance.now()

    await expect(lifecycle.stop()).rejects.toThrow('Some parts did not stop cleanly.')

    expect(performance.now() - startedAtMs).toBeLessThan(1_000)
    expect(done.slice(-3)).toEqual(['stop http', 'stop bot', 'stop redis'])
    expect(failures).toEqual([['http', new Error('http did not stop in time.')]])
  })

  it('has one deadline for all parts, and takes no part that stops at once for a late one', async () => {
    const { lifecycle, failures } = setUp({ http: { stop: never }, bot: { stop: never } }, 50)
    await lifecycle.start()

    await expect(lifecycle.stop()).rejects.toThrow(AggregateError)

    expect(failures.map(([part]) => part)).toEqual(['http', 'bot'])
  })
})
