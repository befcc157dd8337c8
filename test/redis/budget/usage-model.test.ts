import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isRedisError } from '../../../src/errors.ts'
import { decodeBoot } from '../../../src/redis/budget/boot-field.ts'
import { billedOf, type Counts } from '../../../src/redis/budget/counts.ts'
import { budgetMonthAt } from '../../../src/redis/budget/month.ts'
import { createMemoryConnection } from '../../../src/redis/memory.ts'
import type { Command, Transport } from '../../../src/redis/transport.ts'
import { type FakeClock, fakeClock } from '../../support/clock.ts'
import { failure, lost, lostReply, type OnRequest } from '../../support/transport.ts'
import { type Boot, bootOn } from '../../support/usage-rig.ts'

const MINUTE_MS = 60_000
const RULE = { resetDay: 1, zone: 'Europe/Berlin' }
const FAULTS: Readonly<Record<string, OnRequest | undefined>> = {
  none: undefined,
  lost,
  'lost reply': lostReply,
  limit: async () => Promise.reject(failure('REDIS_LIMIT')),
  full: async (commands) => commands.map(() => failure('REDIS_FULL')),
  'an expiry that is refused': async (commands, carryOut) =>
    (await carryOut()).map((reply, at) => (commands[at]?.[0] === 'EXPIRE' ? failure('REDIS_REFUSED') : reply)),
  'more work meanwhile': undefined,
}

const fault = fc.constantFrom(...Object.keys(FAULTS))
const instance = fc.nat(1)
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('spend'), instance, times: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), minutes: fc.constantFrom(1, 15, 60, 1_440, 10_000) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), instance, fault }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mark'), instance, fault }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read'), instance, fault }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop'), instance, fault }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill'), instance }) },
)
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never

/** A plain account of what each boot was charged, and of what a store that took its writes must hold of it. */
function createModel(clock: FakeClock) {
  const charged = new Map<string, Map<string, number>>()
  const mustHold = new Map<string, number>()
  const monthsOf = (bootId: string) => charged.get(bootId) ?? new Map<string, number>()
  return {
    mustHold,
    charge: (bootId: string) => {
      const { name } = budgetMonthAt(clock(), RULE)
      const months = monthsOf(bootId)
      charged.set(bootId, months.set(name, (months.get(name) ?? 0) + 1))
    },
    /** To be told of each request that the store carries out. */
    carriedOut: (commands: readonly Command[]) => {
      for (const [name, key, field] of commands) {
        const [bootId, month] = [String(field).replace('boot:', ''), String(key).slice(-7)]
        const isWrite = name === 'HSET' && String(field).startsWith('boot:')
        if (isWrite) mustHold.set(`${key} ${field}`, monthsOf(bootId).get(month) ?? 0)
      }
    },
    chargedOf: monthsOf,
  }
}

const total = (days: Counts = {}) => Object.values(days).reduce((sum, day) => sum + billedOf(day), 0)

/** Two instances, boot after boot, and what becomes of their steps. */
function createRig() {
  const clock = fakeClock('2025-10-20T12:00:00+02:00')
  const model = createModel(clock)
  const memory = createMemoryConnection({ clock })
  const store: Transport = async (commands) => {
    model.carriedOut(commands)
    return memory.send(commands)
  }
  let boots = 0
  const start = () => {
    const bootId = `${(boots += 1)}`
    return bootOn(store, { clock, bootId, onBilled: () => model.charge(bootId) })
  }
  const running: Boot[] = [start(), start()]
  const of = (at: number) => running[at] ?? start()
  return { clock, memory, model, running, start, of }
}

/** Lets a boot do something while requests fail in a way. */
async function troubled(boot: Boot, { name, work }: { readonly name: string; readonly work: () => Promise<unknown> }) {
  boot.wire.onRequest = name === 'more work meanwhile' ? meanwhile(boot) : FAULTS[name]
  await work().catch((error: unknown) => {
    if (!isRedisError(error)) throw error
  })
  boot.wire.onRequest = undefined
}

/** Spends more after a request was carried out and before its answer comes. */
const meanwhile =
  (boot: Boot): OnRequest =>
  async (_, carryOut) => {
    const replies = await carryOut()
    boot.wire.onRequest = undefined
    await boot.spend([['GET', 'x']])
    return replies
  }

async function take(step: Step, rig: ReturnType<typeof createRig>): Promise<void> {
  if ('minutes' in step) return rig.clock.advance(step.minutes * MINUTE_MS)
  const boot = rig.of(step.instance)
  if ('times' in step) {
    await boot.spend(Array.from({ length: step.times }, () => ['GET', 'x']))
    return
  }
  const name = 'fault' in step ? step.fault : 'none'
  if (step.do === 'write') await troubled(boot, { name, work: () => boot.usage.write() })
  if (step.do === 'mark') await troubled(boot, { name, work: () => boot.usage.putOnce('warned:80', 'x') })
  if (step.do === 'read') await troubled(boot, { name, work: () => boot.usage.load() })
  if (step.do === 'stop') await troubled(boot, { name, work: () => boot.usage.write({ isFinal: true }) })
  if (step.do === 'stop' || step.do === 'kill') rig.running[step.instance] = rig.start()
}

it('the store holds exactly what each boot was charged up to its last write, whatever goes wrong', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60, size: 'max' }), async (steps) => {
      const rig = createRig()
      for (const step of steps) await take(step, rig)

      for (const boot of rig.running) {
        await boot.spend([['GET', 'x']])
        await boot.usage.write({ isFinal: true })
      }

      const { memory, model, clock, running } = rig
      for (const [place, count] of model.mustHold) {
        const [text] = await memory.send([['HGET', ...placeOf(place)]])
        expect([place, total(decodeBoot(String(text))?.days)]).toEqual([place, count])
      }
      const { name } = budgetMonthAt(clock(), RULE)
      for (const { bootId, usage } of running) {
        await usage.reload()
        const others = [...model.mustHold].filter(([place]) => isOfOther(placeOf(place), { name, bootId }))
        const held = others.reduce((sum, [, count]) => sum + count, 0)
        expect(total(usage.known().days)).toBe(held + (model.chargedOf(bootId).get(name) ?? 0))
      }
    }),
    { numRuns: 150 },
  )
})

const placeOf = (place: string) => {
  const [key = '', field = ''] = place.split(' ')
  return [key, field] as const
}

const isOfOther = ([key, field]: readonly [string, string], own: { readonly name: string; readonly bootId: string }) =>
  key.endsWith(own.name) && field !== `boot:${own.bootId}`
