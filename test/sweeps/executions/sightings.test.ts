import { expect, it } from 'vitest'
import { openSightings, readSightings, recallCommand } from '../../../src/sweeps/executions/sightings.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { executionsRig, SEEN } from './executions-rig.ts'

const STATE = '0=0123456789abcdef'
const seenAt = (sinceMs: number, ...keys: readonly string[]) =>
  keys.map((key) => [key, { sinceMs, state: STATE }] as const)

describeWithRedis('the memory of executions', () => {
  const rig = executionsRig()
  const open = (most?: number) =>
    openSightings({ send: rig.transport.send, days: 1, ...(most !== undefined && { most }) })

  it('tells what was written, and nothing of what was not', async () => {
    const sightings = await open()
    expect(await sightings.write({ stale: [], seen: seenAt(5, 'a', 'b') })).toBe(true)

    const [reply = null] = await rig.transport.send([recallCommand(['b', 'c', 'a'])])

    expect(readSightings(reply)).toEqual([{ sinceMs: 5, state: STATE }, undefined, { sinceMs: 5, state: STATE }])
  })

  it('is bounded, says so, and never keeps what is no longer true', async () => {
    await (await open()).write({ stale: [], seen: seenAt(1, 'a', 'b') })
    const full = await open(2)

    expect(await full.write({ stale: [], seen: seenAt(2, 'c') })).toBe(false)
    expect(await full.write({ stale: ['a'], seen: seenAt(3, 'd', 'a') })).toBe(false)

    expect(Object.keys(await rig.seen()).toSorted()).toEqual(['b', 'd'])
    await rig.ask(['SET', 'b', 'true'])
    await full.forgetGone(10)
    expect(await full.write({ stale: [], seen: seenAt(4, 'e') })).toBe(true)
  })

  it('asks only for executions that this run has not just seen', async () => {
    const sightings = await open()
    await sightings.write({ stale: [], seen: [...seenAt(1, 'old', 'older'), ...seenAt(10, 'new')] })
    await rig.ask(['SET', 'old-results', 'x'], ['HSET', SEEN, 'strange', 'x'])
    rig.transport.forget()

    await sightings.forgetGone(10)

    expect(rig.transport.sent().filter(([name]) => name === 'EXISTS')).toHaveLength(3)
    expect(Object.keys(await rig.seen()).toSorted()).toEqual(['new', 'old'])
  })

  it('spends nothing on what does not change', async () => {
    const sightings = await open()
    rig.transport.forget()

    expect(await sightings.write({ stale: [], seen: [] })).toBe(true)

    expect(rig.transport.sent()).toEqual([])
  })
})
