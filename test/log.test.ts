import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, InputError, RedisError } from '../src/errors.ts'
import { createEmit, createLog, describeError } from '../src/log.ts'

/** A log that keeps its lines. */
function createRig(level = 'trace') {
  const lines: string[] = []
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } })
  return { log, lines, emit: createEmit(log), last: (): unknown => JSON.parse(lines.at(-1) ?? '{}') }
}

const TOKEN = '5000000001:AAF-gEheimZx9'

/** A foreign error as libraries make them: with the request, the answer and the address in it. */
function leaky(text = TOKEN): Error {
  const cause = Object.assign(new TypeError(`fetch of https://api.telegram.org/bot${text}/ failed`), { url: text })
  const error = new Error(`Call to sendMessage failed (${text})`, { cause })
  return Object.assign(error, {
    payload: { text },
    ctx: { api: { token: text } },
    command: ['SET', 'a', text],
    code: 'E_CALL',
  })
}

describe('a line of the log', () => {
  it('is one JSON object with an ISO time', () => {
    const { emit, lines, last } = createRig()

    emit('info', 'order.deleted', { order: 'a', orderTime: null })

    expect(lines).toHaveLength(1)
    expect(last()).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      event: 'order.deleted',
      order: 'a',
      orderTime: null,
      msg: 'order.deleted',
    })
  })

  it.each([
    ['debug', 20],
    ['info', 30],
    ['warn', 40],
    ['error', 50],
  ] as const)('of an event at %s has level %i', (level, number) => {
    const { emit, last } = createRig()

    emit(level, 'order.deleted', { order: 'a', orderTime: null })

    expect(last()).toMatchObject({ level: number })
  })

  it('is not written below the level that was chosen', () => {
    const { emit, lines } = createRig('warn')

    emit('info', 'order.deleted', { order: 'a', orderTime: null })

    expect(lines).toEqual([])
  })
})

describe('an error in the log', () => {
  it.each([
    [
      'beside a message',
      (log: ReturnType<typeof createRig>['log'], error: Error) => log.error({ err: error }, 'defect'),
    ],
    ['without a message', (log: ReturnType<typeof createRig>['log'], error: Error) => log.error({ err: error })],
    ['by itself', (log: ReturnType<typeof createRig>['log'], error: Error) => log.error(error)],
    [
      'by itself with a message',
      (log: ReturnType<typeof createRig>['log'], error: Error) => log.error(error, 'defect'),
    ],
    [
      'of a child',
      (log: ReturnType<typeof createRig>['log'], error: Error) => log.child({ part: 'x' }).error({ err: error }, 'x'),
    ],
  ])('%s never brings a token from its message, properties or cause', (_, write) => {
    const { log, lines } = createRig()

    write(log, leaky())

    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain('AAF-gEheimZx9')
  })

  it('does not bring lines of a message that look like its stack', () => {
    const error = new Error(`The server answered:\n    at ${TOKEN} (x.ts:1:2)`)

    expect(JSON.stringify(describeError(error))).not.toContain(TOKEN)
  })

  it('never brings what is in it, whatever that is and however deep', () => {
    const SECRET = 'Zx9gEheim'
    const anyText = fc
      .array(fc.constantFrom(SECRET, '\n', '    at ', 'Error: ', 'x', ' '), { maxLength: 6 })
      .map((parts) => `${SECRET}${parts.join('')}`)
    fc.assert(
      fc.property(anyText, fc.nat(3), fc.dictionary(fc.string(), anyText), (text, depth, properties) => {
        const { log, lines } = createRig()
        let error: Error = Object.assign(new TypeError(text), { ...properties, name: 'TypeError' })
        for (let level = 0; level < depth; level++) error = new Error(text, { cause: error })

        log.error({ err: error }, 'defect')

        expect(lines.join('')).not.toContain(SECRET)
      }),
      { numRuns: 200 },
    )
  })

  it('brings class, code, where it came from and the same of its cause', () => {
    const { log, last } = createRig()

    log.error({ err: leaky('x') }, 'defect')

    expect(last()).toMatchObject({
      err: {
        type: 'Error',
        code: 'E_CALL',
        frames: expect.arrayContaining([expect.stringContaining('log.test.ts')]),
        cause: { type: 'TypeError', frames: expect.any(Array) },
      },
    })
  })

  it('brings the message of our own errors', () => {
    for (const error of [
      new RedisError('REDIS_LIMIT', 'The limit is reached.'),
      new InputError('The limit is reached.'),
      new ConfigError(['The limit is reached.']),
    ]) {
      expect(describeError(error)).toMatchObject({
        type: error.name,
        message: expect.stringContaining('The limit is reached.'),
      })
    }
  })

  it('does not bring the message of a foreign error that bears the name of ours', () => {
    const foreign = Object.assign(new Error(TOKEN), { name: 'RedisError', code: 'ERR' })

    expect(JSON.stringify(describeError(foreign))).not.toContain(TOKEN)
  })

  it('does not bring a code that is no code', () => {
    expect(JSON.stringify(describeError(Object.assign(new Error('x'), { code: TOKEN })))).not.toContain(TOKEN)
  })

  it.each([TOKEN, 7, null, undefined, { token: TOKEN }])('that is no error brings its type only', (thrown) => {
    expect(describeError(thrown)).toEqual({ type: typeof thrown })
  })
})
