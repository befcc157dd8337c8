import { describe, expect, it } from 'vitest'
import { type Attempt, type Lease, tryLock } from '../../src/redis/lock.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { fakeClock } from '../support/clock.ts'
import { failure, lostReply, spoil, watched } from '../support/transport.ts'

function createRig() {
  const clock = fakeClock('2025-12-08T21:00:00+01:00')
  const transport = watched(createMemoryConnection({ clock }).send)
  const account = createMeter(transport.send).open('sweep:orders')
  const lock = (holder = 'Ana, started 21:00') => tryLock(account.send, 'lock', { clock, holder })
  return { clock, transport, lock, cost: () => account.cost().billed, redis: transport.send }
}

function leaseOf(attempt: Attempt): Lease {
  if (!attempt.held) throw new Error('The lock is taken.')
  return attempt.lease
}

describe('a lock', () => {
  it('is taken for 1 command, for 2 minutes, with the holder in it', async () => {
    const { lock, cost, redis } = createRig()

    const attempt = await lock()

    expect([attempt.held, cost()]).toEqual([true, 1])
    expect(leaseOf(attempt).leftMs()).toBe(120_000)
    expect(await redis([['PTTL', 'lock']])).toEqual([120_000])
    expect(String(await redis([['GET', 'lock']]))).toMatch(/^[0-9a-f-]{36} Ana, started 21:00$/)
  })

  it('that is taken is refused for 2 commands, and says who holds it', async () => {
    const { lock, cost } = createRig()
    await lock('Ana')

    expect(await lock('Ben')).toEqual({ held: false, holder: 'Ana' })
    expect(cost()).toBe(1 + 2)
  })

  it('is taken by exactly one of many at the same moment', async () => {
    const { lock } = createRig()

    const attempts = await Promise.all(Array.from({ length: 10 }, () => lock()))

    expect(attempts.filter(({ held }) => held)).toHaveLength(1)
  })

  it('is refused without a name when the holder lets go in between', async () => {
    const { lock, transport, redis } = createRig()
    await lock('Ana')
    transport.onRequest = spoil('GET', async (_, carryOut) => {
      transport.onRequest = undefined
      await redis([['UNLINK', 'lock']])
      return carryOut()
    })

    expect(await lock('Ben')).toEqual({ held: false, holder: undefined })
  })

  it('whose answer was lost is recognized as our own, and counts from before the first try', async () => {
    const { lock, cost, transport, clock } = createRig()
    transport.onRequest = spoil('SET', async (...request) => {
      clock.advance(5_000)
      return lostReply(...request)
    })

    const lease = leaseOf(await lock())

    expect(cost()).toBe(3)
    expect(lease.leftMs()).toBe(115_000)
  })

  it('that Redis refuses is an error', async () => {
    const { lock, transport } = createRig()
    transport.onRequest = async () => [failure('REDIS_FULL')]

    await expect(lock()).rejects.toMatchObject({ code: 'REDIS_FULL' })
  })
})

describe('a lease', () => {
  it('ends after 2 minutes, and the lock is free', async () => {
    const { lock, clock } = createRig()
    const lease = leaseOf(await lock('Ana'))

    clock.advance(119_999)
    expect([lease.leftMs(), (await lock('Ben')).held]).toEqual([1, false])
    clock.advance(1)
    expect([lease.leftMs(), (await lock('Ben')).held]).toEqual([0, true])
  })

  it('is renewed to its full length for 1 command, counted from before the request', async () => {
    const { lock, clock, cost, redis, transport } = createRig()
    const lease = leaseOf(await lock())
    clock.advance(60_000)
    transport.onRequest = spoil('EXPIRE', async (_, carryOut) => {
      const replies = await carryOut()
      clock.advance(1_000)
      return replies
    })

    expect(await lease.renew()).toBe(true)
    expect([cost(), lease.leftMs()]).toEqual([2, 119_000])
    expect(await redis([['PTTL', 'lock']])).toEqual([119_000])
  })

  it('of a lock that has gone is not renewed', async () => {
    const { lock, clock } = createRig()
    const lease = leaseOf(await lock())
    clock.advance(120_000)

    expect(await lease.renew()).toBe(false)
    expect(lease.leftMs()).toBe(0)
  })

  it('is as long as before when a renewal got no answer', async () => {
    const { lock, clock, transport } = createRig()
    const lease = leaseOf(await lock())
    clock.advance(60_000)
    transport.onRequest = spoil('EXPIRE', lostReply)

    await expect(lease.renew()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
    expect(lease.leftMs()).toBe(60_000)
  })

  it('is given back for 3 commands', async () => {
    const { lock, cost, redis } = createRig()
    const lease = leaseOf(await lock())

    await lease.release()

    expect(cost()).toBe(4)
    expect(await redis([['EXISTS', 'lock']])).toEqual([0])
  })

  it('that was lost leaves the lock of the next one alone', async () => {
    const { lock, clock } = createRig()
    const lease = leaseOf(await lock('Ana'))
    clock.advance(120_000)
    await lock('Ben')

    await lease.release()

    expect(await lock('Cem')).toEqual({ held: false, holder: 'Ben' })
  })
})
