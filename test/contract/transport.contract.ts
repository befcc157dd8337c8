import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RedisErrorCode } from '../../src/errors.ts'
import { dropLeftover, evalCommand, releaseLock } from '../../src/redis/scripts.ts'
import { type Command, type Connection, listOf } from '../../src/redis/transport.ts'
import { collectionRules } from './collection.rules.ts'
import { keyRules } from './key.rules.ts'
import { codeOf, numbered, type Rule } from './rule.ts'
import { stringRules } from './string.rules.ts'

/** A driver to be held to the contract, with what stands behind it. */
export interface Subject {
  /** A new connection. The database behind all of them is the same, and the suite empties it. */
  connect(): Connection
  stop(): Promise<void>
}

/** Titles of rules that a driver is not held to, each with the reason. */
export type Exemptions = Readonly<Record<string, string>>

/** What every driver promises, whatever it talks to. */
export function describeTransport(name: string, create: () => Promise<Subject>, exemptions: Exemptions = {}) {
  describe(`the ${name} transport`, () => {
    let subject: Subject
    let connection: Connection
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(() => subject.stop())
    beforeEach(async () => {
      connection = subject.connect()
      await connection.send([['FLUSHDB']])
    })
    afterEach(() => connection.close())

    const titles = new Set<string>()
    const rule: Rule = (title, check) => {
      titles.add(title)
      const run = title in exemptions ? it.skip : it
      run(title, () => check((...commands) => connection.send(commands)))
    }
    for (const rules of [stringRules, keyRules, collectionRules, scripts, errors, requests]) rules(rule)

    it('answers no further request once it is closed', async () => {
      await connection.close()

      await expect(connection.send([['PING']])).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
      await expect(connection.close()).resolves.toBeUndefined()
    })

    it('is exempt only from rules that exist', () => {
      expect(Object.keys(exemptions).filter((title) => !titles.has(title))).toEqual([])
    })
  })
}

function scripts(rule: Rule) {
  rule('releases a lock that is still ours, and no other', async (send) => {
    await send(['SET', 'lock', 'mine'])

    expect(await send(evalCommand(releaseLock, 'lock', 'theirs'), ['GET', 'lock'])).toEqual([0, 'mine'])
    expect(await send(evalCommand(releaseLock, 'lock', 'mine'), ['GET', 'lock'])).toEqual([1, null])
    expect(await send(evalCommand(releaseLock, 'lock', 'mine'))).toEqual([0])
  })

  rule('drops a leftover, and no order', async (send) => {
    await send(
      ['SET', 'leftover', '\u001e{"id":"a"}\n'],
      ['SET', 'order', '{"id":1}\u001e{"id":"a"}\n'],
      ['SET', 'empty', ''],
    )

    const replies = await send(
      ...['leftover', 'leftover', 'order', 'empty'].map((key) => evalCommand(dropLeftover, key)),
    )

    expect(replies).toEqual([1, 0, 0, 0])
    expect(await send(['EXISTS', 'leftover', 'order', 'empty'])).toEqual([2])
  })

  rule('refuses a script on a key of another type', async (send) => {
    await send(['RPUSH', 'list', 'x'])

    const replies = await send(evalCommand(releaseLock, 'list', 'x'), evalCommand(dropLeftover, 'list'), [
      'LLEN',
      'list',
    ])

    expect(replies.map(codeOf)).toEqual(['REDIS_WRONG_TYPE', 'REDIS_WRONG_TYPE', undefined])
    expect(replies[2]).toBe(1)
  })
}

const refused: readonly (readonly [what: string, command: Command, code: RedisErrorCode])[] = [
  ['a command on a key of another type', ['APPEND', 'list', 'x'], 'REDIS_WRONG_TYPE'],
  ['an unknown command', ['NOSUCHCOMMAND', 'a'], 'REDIS_REFUSED'],
  ['too few words', ['GET'], 'REDIS_REFUSED'],
  ['too many words', ['STRLEN', 'a', 'b'], 'REDIS_REFUSED'],
  ['an option that does not exist', ['SET', 'a', '1', 'SOON'], 'REDIS_REFUSED'],
  ['options that exclude each other', ['SET', 'a', '1', 'NX', 'XX'], 'REDIS_REFUSED'],
  ['an expiry of no time', ['SET', 'a', '1', 'EX', 0], 'REDIS_REFUSED'],
  ['a word for a number', ['EXPIRE', 'a', 'soon'], 'REDIS_REFUSED'],
  ['a cursor that is none', ['SCAN', 'x'], 'REDIS_REFUSED'],
  ['a count of nothing', ['SCAN', 0, 'COUNT', 0], 'REDIS_REFUSED'],
  ['half a field', ['HSET', 'h', 'a', '1', 'b'], 'REDIS_REFUSED'],
]

function errors(rule: Rule) {
  for (const [what, command, code] of refused) {
    rule(`puts the refusal of ${what} in its place and carries out the other commands of the request`, async (send) => {
      await send(['RPUSH', 'list', 'x'])

      const replies = await send(['SET', 'before', '1'], command, ['SET', 'after', '2'])

      expect(replies.map(codeOf)).toEqual([undefined, code, undefined])
      expect(await send(['MGET', 'before', 'after'])).toEqual([['1', '2']])
    })
  }

  rule('answers a refused command that travels alone in the same way', async (send) => {
    await send(['RPUSH', 'list', 'x'])

    for (const [, command, code] of refused) expect((await send(command)).map(codeOf)).toEqual([code])
  })
}

function requests(rule: Rule) {
  rule('resolves no commands with no replies', async (send) => {
    expect(await send()).toEqual([])
  })

  rule('carries out the commands of a request in their order', async (send) => {
    const appends = numbered('', 200).map((digit): Command => ['APPEND', 'a', `${digit},`])

    const replies = await send(...appends, ['GET', 'a'])

    expect(replies.at(-1)).toBe(
      numbered('', 200)
        .map((digit) => `${digit},`)
        .join(''),
    )
    expect(replies.slice(0, -1)).toEqual(replies.slice(0, -1).toSorted((one, other) => Number(one) - Number(other)))
  })

  rule('carries out requests of one tick in their order', async (send) => {
    const replies = await Promise.all(numbered('', 50).map((digit) => send(['APPEND', 'a', `${digit},`], ['GET', 'a'])))

    expect(replies.at(-1)?.[1]).toBe(
      numbered('', 50)
        .map((digit) => `${digit},`)
        .join(''),
    )
  })

  rule('gives each of many requests at once its own replies', async (send) => {
    await send(...numbered('key:', 100).map((key): Command => ['SET', key, key]))

    const replies = await Promise.all(numbered('key:', 100).map((key) => send(['GET', key], ['STRLEN', key])))

    expect(replies).toEqual(numbered('key:', 100).map((key) => [key, key.length]))
  })

  rule('carries 2 000 keys and 3 MB in one request and in one reply', async (send) => {
    const names = numbered('order:', 2_000)
    const value = 'ü😀'.repeat(250)

    const set = await send(...names.map((name): Command => ['SET', name, value]))
    expect(new Set(set)).toEqual(new Set(['OK']))

    const [values = null] = await send(['MGET', ...names])
    expect(listOf(values).length).toBe(2_000)
    expect(new Set(listOf(values))).toEqual(new Set([value]))
    expect(await send(['UNLINK', ...names], ['DBSIZE'])).toEqual([2_000, 0])
  })
}
