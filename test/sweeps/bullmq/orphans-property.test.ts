import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Command } from '../../../src/redis/transport.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { CUTOFF_MS, job, OLD_MS, queueRig } from './orphans-rig.ts'

const BASE = 'bull:mails:'
const LISTS = ['wait', 'active', 'paused'] as const
const SETS = ['completed', 'failed', 'delayed', 'prioritized', 'waiting-children'] as const
const STATES = [...LISTS, ...SETS]

const parts = {
  logs: (key: string): Command => ['RPUSH', key, 'x'],
  dependencies: (key: string): Command => ['SADD', key, `${BASE}nobody`],
  processed: (key: string): Command => ['HSET', key, `${BASE}nobody`, '1'],
  failed: (key: string): Command => ['HSET', key, `${BASE}nobody`, 'why'],
  unsuccessful: (key: string): Command => ['ZADD', key, 1, `${BASE}nobody`],
}
type Part = keyof typeof parts
const partNames: readonly Part[] = ['logs', 'dependencies', 'processed', 'failed', 'unsuccessful']

const oddIds = [
  'metrics',
  'a:b:c',
  'a:b:c:logs',
  'a:b',
  '漢 🚚',
  '*',
  '[x]?',
  'logs',
  'dn',
  'dn:x',
  'de:x',
  'repeat:s:5',
  'processed',
  '0',
]

/** Keys of nobody's, some with names like those of jobs. */
const oddKeys = {
  'metrics:failed': ['HSET', `${BASE}metrics:failed`, 'count', '1'],
  'metrics:completed:data': ['RPUSH', `${BASE}metrics:completed:data`, '1'],
  'dn:failed': ['HSET', `${BASE}dn:failed`, 'name', 'n', 'data', '{}', 'opts', '{}'],
  'repeat:s': ['HSET', `${BASE}repeat:s`, 'name', 'n', 'data', '{}', 'opts', '{}'],
  'de:once': ['SET', `${BASE}de:once`, '1'],
  'half-a-job': ['HSET', `${BASE}half-a-job`, 'name', 'n', 'timestamp', OLD_MS],
  'a-text': ['SET', `${BASE}a-text`, 'x'],
  'a-stream': ['XADD', `${BASE}a-stream`, '*', 'a', 'b'],
  meta: ['HSET', `${BASE}meta`, 'name', 'n', 'data', '{}', 'opts', '{}', 'timestamp', OLD_MS],
  events: ['XADD', `${BASE}events`, '*', 'a', 'b'],
  id: ['SET', `${BASE}id`, '9'],
} as const satisfies Readonly<Record<string, Command>>

const life = fc.record({
  state: fc.constantFrom(...STATES, undefined, undefined),
  time: fc.constantFrom(OLD_MS, OLD_MS, CUTOFF_MS, 'soon'),
  hasHash: fc.nat(4).map((number) => number > 0),
  isLocked: fc.nat(9).map((number) => number === 0),
  parts: fc.subarray([...partNames]),
  parent: fc.option(fc.nat(11), { nil: undefined }),
  bond: fc.constantFrom('dependencies', 'processed', 'unsuccessful', undefined),
})

const queue = fc.record({
  lives: fc.array(life, { minLength: 1, maxLength: 12 }),
  ids: fc.shuffledSubarray([...oddIds, ...Array.from({ length: 12 }, (_, at) => String(at + 1))], {
    minLength: 12,
    maxLength: 12,
  }),
  emptied: fc.subarray([...STATES]),
  odd: fc.subarray(Object.values<Command>(oddKeys)),
})

type QueueModel = typeof queue extends fc.Arbitrary<infer Model> ? Model : never
type Life = QueueModel['lives'][number] & { readonly id: string }

/** The queue with the ids that its jobs got; a job is no parent of its own. */
const livesOf = ({ lives, ids }: QueueModel): readonly Life[] =>
  lives.map((one, at) => ({
    ...one,
    id: ids[at] ?? '',
    parent: one.parent === at || (one.parent ?? 0) >= lives.length ? undefined : one.parent,
  }))

const bondCommand = (parentId: string, { bond, id }: Life): Command => {
  const key = `${BASE}${parentId}:${bond ?? ''}`
  if (bond === 'dependencies') return ['SADD', key, `${BASE}${id}`]
  return bond === 'processed' ? ['HSET', key, `${BASE}${id}`, '1'] : ['ZADD', key, 1, `${BASE}${id}`]
}

/** The hashes come first: what is another thing of the same name then finds its place taken. */
function build(model: QueueModel): readonly Command[] {
  const lives = livesOf(model)
  const parentIdOf = ({ parent }: Life) => (parent === undefined ? undefined : lives[parent]?.id)
  const hashes = lives
    .filter(({ hasHash }) => hasHash)
    .map((one) => {
      const parentId = parentIdOf(one)
      return job(one.id, { timestamp: one.time, ...(parentId !== undefined && { parentKey: `${BASE}${parentId}` }) })
    })
  const others = lives.flatMap((one): Command[] => {
    const { id, state, isLocked, bond } = one
    const parentId = parentIdOf(one)
    return [
      ...(state === undefined ? [] : [stateCommand(state, id)]),
      ...(isLocked ? [['SET', `${BASE}${id}:lock`, 't'] as const] : []),
      ...one.parts.map((part) => parts[part](`${BASE}${id}:${part}`)),
      ...(parentId !== undefined && bond !== undefined ? [bondCommand(parentId, one)] : []),
    ]
  })
  return [...hashes, ...others]
}

const stateCommand = (state: string, id: string): Command =>
  isList(state) ? ['RPUSH', `${BASE}${state}`, id] : ['ZADD', `${BASE}${state}`, 1, id]

const isList = (state: string) => LISTS.some((list) => list === state)

/** The rule in the words of the documentation. */
function orphansOf(model: QueueModel): readonly string[] {
  const lives = livesOf(model)
  const isKnown = ({ state, isLocked }: Life) => isLocked || (state !== undefined && !model.emptied.includes(state))
  const isNeeded = (one: Life) => {
    const parent = one.parent === undefined ? undefined : lives[one.parent]
    const isAwaited = one.bond === 'dependencies' && parent?.hasHash === true && isKnown(parent)
    const hasLiveChild = lives.some(
      (child) =>
        child.parent !== undefined &&
        lives[child.parent] === one &&
        child.bond !== undefined &&
        child.hasHash &&
        isKnown(child),
    )
    return isAwaited || hasLiveChild
  }
  return lives
    .filter((one) => one.hasHash && one.time === OLD_MS && !isKnown(one) && !isNeeded(one))
    .map(({ id }) => id)
}

describeWithRedis(
  'a queue after random damage',
  () => {
    const rig = queueRig()

    it('loses every old orphan with what belongs to it, and never a live job or another key', async () => {
      let orphansMet = 0
      await fc.assert(
        fc.asyncProperty(queue, async (model) => {
          await rig.flush()
          await rig.send([
            ...model.odd,
            ...build(model),
            ...model.emptied.map((state) => ['DEL', `${BASE}${state}`] as const),
          ])
          const before = await rig.content()
          const orphans = orphansOf(model)
          orphansMet += orphans.length
          const own = new Set(
            orphans.flatMap((id) => [`${BASE}${id}`, ...partNames.map((part) => `${BASE}${id}:${part}`)]),
          )

          const dry = await rig.pass({ isDryRun: true })
          expect(await rig.content()).toEqual(before)
          expect(dry).toMatchObject({ due: orphans.length, deleted: 0 })
          expect(await rig.pass()).toEqual({ ...dry, deleted: orphans.length })

          const kept = Object.entries(before).filter(([key]) => !own.has(key) || isAnothers(key, model))
          expect(await rig.content()).toEqual(Object.fromEntries(kept))
        }),
        { numRuns: 150 },
      )
      expect(orphansMet).toBeGreaterThan(100)
    }, 60_000)
  },
  { own: false },
)

/** Keys that look like a part of an orphan and are something else. */
function isAnothers(key: string, model: QueueModel): boolean {
  const rest = key.slice(BASE.length)
  return (
    rest === 'metrics:failed' ||
    (rest === 'dn:failed' && model.odd.includes(oddKeys[rest])) ||
    livesOf(model).some(({ id, hasHash }) => hasHash && id === rest && !orphansOf(model).includes(id))
  )
}
