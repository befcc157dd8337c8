import { describe, expect, it } from 'vitest'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { type Lease, tryLock } from '../../src/redis/lock.ts'
import { createMeter } from '../../src/redis/meter.ts'
import { evalCommand, releaseLock } from '../../src/redis/scripts.ts'
import { createGuard, type GuardOptions, type SweepStopped } from '../../src/sweeps/guard.ts'
import { fakeClock } from '../support/clock.ts'
import { failure, spoil, watched } from '../support/transport.ts'

function createRig(options: Partial<Pick<GuardOptions, 'maxCommands' | 'reserve' | 'signal' | 'lease'>> = {}) {
  const clock = fakeClock('2025-12-08T21:00:00+01:00')
  const transport = watched(createMemoryConnection({ clock }).send)
  const account = createMeter(transport.send).open('sweep:orders')
  const guard = createGuard({
    account,
    clock,
    signal: undefined,
    maxCommands: Infinity,
    reserve: 0,
    lease: undefined,
    ...options,
  })
  return { clock, transport, account, guard }
}

const stopped = (reason: SweepStopped['reason']) => ({ name: 'SweepStopped', reason })

describe('the guard of a run', () => {
  it('lets exactly as many billed commands through as the cap leaves beside the reserve', async () => {
    const { guard, transport } = createRig({ maxCommands: 5, reserve: 2 })

    await guard.send([['DBSIZE']])
    await guard.send([['DBSIZE'], ['DBSIZE']])

    expect(guard.left()).toBe(0)
    await expect(guard.send([['DBSIZE']])).rejects.toMatchObject(stopped('cap'))
    expect(transport.sent()).toHaveLength(3)
  })

  it('takes a request as a whole or not at all', async () => {
    const { guard, transport } = createRig({ maxCommands: 2 })

    await expect(guard.send([['DBSIZE'], ['DBSIZE'], ['DBSIZE']])).rejects.toMatchObject(stopped('cap'))

    expect(transport.sent()).toEqual([])
    expect(guard.left()).toBe(2)
  })

  it('lets commands through that nobody bills, whatever is left', async () => {
    const { guard } = createRig({ maxCommands: 1, reserve: 1 })

    await expect(guard.send([['PING']])).resolves.toEqual(['PONG'])
  })

  it('reckons a script with all that it may run inside', async () => {
    const { guard } = createRig({ maxCommands: 2 })

    await expect(guard.send([evalCommand(releaseLock, 'a', 'b')])).rejects.toMatchObject(stopped('cap'))
  })

  it('never lets requests of one moment spend more than the cap together', async () => {
    const { guard, transport } = createRig({ maxCommands: 3 })

    const results = await Promise.allSettled(Array.from({ length: 10 }, () => guard.send([['DBSIZE']])))

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(transport.sent()).toHaveLength(3)
  })

  it('stops an interrupted run before it sends anything', async () => {
    const controller = new AbortController()
    const { guard, transport } = createRig({ signal: controller.signal })
    await guard.send([['DBSIZE']])

    controller.abort()

    await expect(guard.send([['DBSIZE']])).rejects.toMatchObject(stopped('interrupted'))
    expect(transport.sent()).toHaveLength(1)
  })

  it('renews a lease once for all requests of one moment', async () => {
    const { rig, lease } = await leased()
    rig.clock.advance(60_000)

    await Promise.all([1, 2, 3].map(() => rig.guard.send([['DBSIZE']])))

    expect(rig.transport.sent().filter(([name]) => name === 'EXPIRE')).toHaveLength(1)
    expect(lease.leftMs()).toBe(120_000)
  })

  it('stops for the cap rather than renew without a command left', async () => {
    const { rig } = await leased({ maxCommands: 1, reserve: 1 })
    rig.clock.advance(60_000)

    await expect(rig.guard.send([['PING']])).rejects.toMatchObject(stopped('cap'))
    expect(rig.transport.sent()).toEqual([])
  })

  it('passes on a renewal that was refused', async () => {
    const { rig } = await leased()
    rig.clock.advance(60_000)
    rig.transport.onRequest = spoil('EXPIRE', async () => [failure('REDIS_LIMIT')])

    await expect(rig.guard.send([['DBSIZE']])).rejects.toMatchObject({ code: 'REDIS_LIMIT' })
  })
})

/** A guard with a lease of its own. What the lease costs is not on the guard's account unless it is renewed. */
async function leased(options: Parameters<typeof createRig>[0] = {}) {
  const { clock, transport } = createRig()
  const account = createMeter(transport.send).open('sweep:orders')
  const attempt = await tryLock(account.send, 'lock', { clock, holder: 'a test' })
  if (!attempt.held) throw new Error('The lock of an empty store is taken.')
  const { lease }: { lease: Lease } = attempt
  transport.forget()
  const guard = createGuard({ account, clock, signal: undefined, maxCommands: Infinity, reserve: 0, lease, ...options })
  return { lease, rig: { clock, transport, guard } }
}
