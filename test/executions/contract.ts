import { expect, it } from 'vitest'
import type { ExecutionStore } from '../../src/executions/index.ts'
import { unstorable } from './unstorable.ts'

/** Makes a store for a rule; each rule works on executions of its own. */
export type CreateStore = (options?: { readonly ttl?: number }) => ExecutionStore

let executions = 0
const anExecution = () => `execution-${++executions}`

/** Results that must come back as they were, each with what makes it hard. */
export const HARD_RESULTS: readonly (readonly [what: string, value: unknown])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['zero', 0],
  ['minus zero', -0],
  ['minus zeros inside', { a: [-0, 0, '-0'], '-0': { b: -0, '-0-': '"-0"' } }],
  ['a large number', 1e21],
  ['the largest number', Number.MAX_VALUE],
  ['the smallest number', 5e-324],
  ['an integer of 16 digits', Number.MAX_SAFE_INTEGER],
  ['an empty text', ''],
  ['a text that looks like a number', '123'],
  ['a text that looks like a large number', '1e21'],
  ['a text that looks like JSON', '{"a":1}'],
  ['a text in quotes', '"quoted"'],
  ['the text null', 'null'],
  ['the text undefined', 'undefined'],
  ['the text that a worker keeps for nothing', '<empty_execution_result>'],
  ['a text that begins with a sign', '=1'],
  ['letters of many alphabets', 'Straße, 東京, עברית, 🛵🏽'],
  ['half a character', 'a\ud83d, \udc00b'],
  ['control characters', '\u0000\u0001\r\n\t\u2028'],
  ['an empty list', []],
  ['an empty object', {}],
  ['lists in lists', [[[[null]], [0, 'x']], []]],
  ['an object with names of every object', JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":null}')],
  ['a list of many numbers', Array.from({ length: 2_000 }, (_, at) => at / 7)],
  ['a long text', 'long '.repeat(20_000)],
]

/** What every store does alike, whatever it stands on. */
export function itKeepsTheContract(create: CreateStore): void {
  it('knows an execution from its beginning to its disposal', async () => {
    const store = create()
    const id = anExecution()

    expect(await store.isExecutionInProgress(id)).toBe(false)
    expect(await store.beginExecution(id)).toBe(undefined)
    expect(await store.isExecutionInProgress(id)).toBe(true)
    expect(await store.disposeExecution(id)).toBe(undefined)
    expect(await store.isExecutionInProgress(id)).toBe(false)
  })

  it('disposes of an execution that it does not know without complaint', async () => {
    expect(await create().disposeExecution(anExecution())).toBe(undefined)
  })

  it('lets one caller claim a task, also when many try at once or later', async () => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)

    expect(await store.isExecutionTaskInProgress(id, 'pay')).toBe(false)
    expect(await store.beginExecutionTask(id, 'pay')).toBe(true)
    expect(await store.isExecutionTaskInProgress(id, 'pay')).toBe(true)
    expect(await store.beginExecutionTask(id, 'pay')).toBe(false)
    await store.commitExecutionTaskResult(id, 'pay', 1)
    expect(await store.beginExecutionTask(id, 'pay')).toBe(false)
    expect(await store.isExecutionTaskInProgress(id, 'pay')).toBe(false)
  })

  it('takes a result from whoever brings it, for after a crash that is somebody else', async () => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)

    expect(await store.commitExecutionTaskResult(id, 'never begun', { paid: true })).toBe(undefined)

    expect(await store.getExecutionTaskResult(id, 'never begun')).toEqual({ paid: true })
  })

  it('keeps the first result of a task, for others may have read it', async () => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)
    await store.beginExecutionTask(id, 'pay')

    await store.commitExecutionTaskResult(id, 'pay', 'first')
    await store.commitExecutionTaskResult(id, 'pay', 'second')

    expect(await store.getExecutionTaskResult(id, 'pay')).toBe('first')
  })

  it('goes on with an execution that is begun again', async () => {
    const store = create({ ttl: 60_000 })
    const id = anExecution()
    await store.beginExecution(id)
    await store.beginExecutionTask(id, 'ship')
    await store.commitExecutionTaskResult(id, 'pay', 7)

    await store.beginExecution(id)

    expect(await store.isExecutionInProgress(id)).toBe(true)
    expect(await store.getExecutionTaskResult(id, 'pay')).toBe(7)
    expect(await store.isExecutionTaskInProgress(id, 'ship')).toBe(true)
  })

  it('resolves a late begin to false and a late commit to nothing, and recreates nothing', async () => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)
    await store.beginExecutionTask(id, 'pay')
    await store.disposeExecution(id)

    expect(await store.beginExecutionTask(id, 'ship')).toBe(false)
    expect(await store.commitExecutionTaskResult(id, 'pay', 1)).toBe(undefined)

    expect(await store.isExecutionInProgress(id)).toBe(false)
    expect(await store.isExecutionTaskInProgress(id, 'ship')).toBe(false)
    expect(await store.getExecutionTaskResult(id, 'pay')).toBe(undefined)
    expect(await store.getExecutionTaskResults(id)).toEqual({})
  })

  it('goes on with an execution that is begun again before it had a result', async () => {
    const store = create({ ttl: 60_000 })
    const id = anExecution()
    await store.beginExecution(id)

    await store.beginExecution(id)

    expect(await store.isExecutionInProgress(id)).toBe(true)
  })

  it('keeps executions apart', async () => {
    const store = create()
    const [one, other] = [anExecution(), anExecution()]
    await store.beginExecution(one)
    await store.beginExecution(other)

    await store.commitExecutionTaskResult(one, 'pay', 1)
    await store.commitExecutionTaskResult(other, 'pay', 2)
    await store.disposeExecution(one)

    expect(await store.getExecutionTaskResult(one, 'pay')).toBe(undefined)
    expect(await store.getExecutionTaskResult(other, 'pay')).toBe(2)
  })

  it.each(HARD_RESULTS)('gives back exactly %s', async (_, value) => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)

    await store.commitExecutionTaskResult(id, 'pay', value)

    expect(await store.getExecutionTaskResult(id, 'pay')).toStrictEqual(value)
    const results = await store.getExecutionTaskResults(id)
    expect(results['pay']).toStrictEqual(value)
    expect(await store.getExecutionTaskResult(id, 'pay')).toStrictEqual(value)
  })

  it('tells undefined from null, and both from no result', async () => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)

    await store.commitExecutionTaskResult(id, 'nothing', undefined)
    await store.commitExecutionTaskResult(id, 'null', null)

    const results = await store.getExecutionTaskResults(id)
    expect(new Map(Object.entries(results))).toEqual(
      new Map([
        ['nothing', undefined],
        ['null', null],
      ]),
    )
    expect(await store.getExecutionTaskResult(id, 'nothing')).toBe(undefined)
    expect(await store.getExecutionTaskResult(id, 'null')).toBe(null)
    expect(await store.beginExecutionTask(id, 'nothing')).toBe(false)
  })

  it('leaves undefined out of a result as JSON does, and lets objects say what they are', async () => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)

    await store.commitExecutionTaskResult(id, 'pay', { a: undefined, b: [undefined], at: new Date(0) })

    expect(await store.getExecutionTaskResult(id, 'pay')).toStrictEqual({ b: [null], at: '1970-01-01T00:00:00.000Z' })
  })

  it('keeps the fields of an instance of a class, and of a list its places', async () => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)
    const list = Object.assign([1], { extra: 2 })

    await store.commitExecutionTaskResult(id, 'pay', { order: new Order(7), list, [Symbol('x')]: 1, none: null })

    expect(await store.getExecutionTaskResult(id, 'pay')).toStrictEqual({ order: { id: 7 }, list: [1], none: null })
  })

  it('takes tasks of any name', async () => {
    const store = create()
    const id = anExecution()
    const tasks = ['__proto__', 'constructor', 'toString', '123', 'null', '{"a":1}', 'a:b:c', ' ', 'é\n🛵', '=x']
    await store.beginExecution(id)
    for (const task of tasks) expect(await store.beginExecutionTask(id, task)).toBe(true)

    const before = await store.getExecutionTaskResults(id)
    expect(tasks.filter((task) => before[task] !== undefined)).toEqual([])
    for (const task of tasks) expect(await store.isExecutionTaskInProgress(id, task)).toBe(true)
    for (const [at, task] of tasks.entries()) await store.commitExecutionTaskResult(id, task, at)

    const after = await store.getExecutionTaskResults(id)
    expect(tasks.map((task) => after[task])).toEqual(tasks.map((_, at) => at))
    expect(Object.keys(after)).toHaveLength(tasks.length)
    expect(await store.getExecutionTaskResult(id, '__proto__')).toBe(0)
  })

  it.each(['', 'x-results', 'x-transactions', '-results', 'half \ud800'])(
    'refuses the execution id %j, whose keys would be those of another one',
    async (id) => {
      const store = create()
      const calls = [
        () => store.beginExecution(id),
        () => store.getExecutionTaskResults(id),
        () => store.getExecutionTaskResult(id, 'pay'),
        () => store.beginExecutionTask(id, 'pay'),
        () => store.commitExecutionTaskResult(id, 'pay', 1),
        () => store.isExecutionInProgress(id),
        () => store.isExecutionTaskInProgress(id, 'pay'),
        () => store.disposeExecution(id),
      ]

      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'BAD_INPUT' })
    },
  )

  it.each(['', 'half \udfff'])('refuses the task id %j', async (task) => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)

    await expect(store.beginExecutionTask(id, task)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(store.commitExecutionTaskResult(id, task, 1)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(store.getExecutionTaskResult(id, task)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(store.isExecutionTaskInProgress(id, task)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it.each(unstorable())('refuses %s before anything is written', async (_, value, reason) => {
    const store = create()
    const id = anExecution()
    await store.beginExecution(id)
    await store.beginExecutionTask(id, 'pay')

    await expect(store.commitExecutionTaskResult(id, 'pay', value)).rejects.toMatchObject({
      code: 'UNSTORABLE_RESULT',
      message: expect.stringContaining(`The result of task "pay" cannot be stored in "${id}-results": it ${reason}`),
    })

    expect(await store.isExecutionTaskInProgress(id, 'pay')).toBe(true)
    expect(await store.getExecutionTaskResults(id)).toEqual({})
    await store.commitExecutionTaskResult(id, 'pay', 'mended')
    expect(await store.getExecutionTaskResult(id, 'pay')).toBe('mended')
  })

  it.each([0, -1, -0, NaN, Infinity, -Infinity, 1e300, '1000', null, {}, 10n])('refuses a ttl of %s', (ttl) => {
    expect(() => Reflect.apply(create, undefined, [{ ttl }])).toThrow(/option ttl must be a positive number/)
  })
}

/** With a field that JSON sees and one that it does not. */
class Order {
  readonly id: number
  readonly #secret = 1
  constructor(id: number) {
    this.id = id
  }
  sum() {
    return this.id + this.#secret
  }
}
