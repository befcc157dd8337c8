import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { RedisError } from '../../src/errors.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { dropLeftover, evalCommand, releaseLock } from '../../src/redis/scripts.ts'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import type { Command, Connection, Reply } from '../../src/redis/transport.ts'
import { describeWithRedis, type TestRedis, testRedis } from '../support/redis-server.ts'

const key = fc.constantFrom('a', 'b', 'order:c', 'ü')
const text = fc.oneof(
  fc.constantFrom('', '1', 'x', '\u001e{"id":"a"}\n', '😀', '\ud83d', 'null', '9223372036854775807'),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const number = fc.oneof(
  fc.integer({ min: -6, max: 6 }),
  fc.constantFrom(100, 5_000, 'soon', '07', '+1', ' 1', '-0', ''),
)
const seconds = fc.oneof(fc.constantFrom(-1, 0, 100, 5_000, 'soon', '9223372036854775807'))
const setOption = fc.oneof(
  fc.constantFrom(['NX'], ['XX'], ['KEEPTTL'], ['nx'], ['SOON'], ['EX']),
  seconds.map((time) => ['EX', time]),
  seconds.map((time) => ['PX', typeof time === 'number' ? time * 1_000 : time]),
)
const id = fc.constantFrom('0-0', '0-1', '5', '5-1', '5-2', '6-0', '6-*', '-', '+', '(5-1', 'x', '5-1-1', '')
/** ASCII only: whether a range holds other bytes depends on the server's processor. */
const pattern = fc
  .array(fc.constantFrom('*', '?', '[', ']', '^', '-', '\\', 'a', 'b', 'o', ':'), { maxLength: 6 })
  .map((parts) => parts.join(''))

type Words = (string | number)[]
const command = (name: string, ...words: fc.Arbitrary<string | number | Words>[]) =>
  fc.tuple(...words).map((args): Command => [name, ...args.flat()])
const some = (words: fc.Arbitrary<string>) => fc.array(words, { maxLength: 3 })

const strings = [
  command(
    'SET',
    key,
    text,
    fc.array(setOption, { maxLength: 2 }).map((options) => options.flat()),
  ),
  ...['GET', 'STRLEN', 'TYPE', 'TTL', 'PERSIST'].map((name) => command(name, key)),
  command('APPEND', key, text),
  command('APPEND', key, text),
  command('GETRANGE', key, number, number),
  ...['MGET', 'EXISTS', 'DEL', 'UNLINK'].map((name) => command(name, some(key))),
  command('EXPIRE', key, seconds),
  command(
    'PEXPIRE',
    key,
    seconds.map((time) => (typeof time === 'number' ? time * 1_000 : time)),
  ),
  fc.constant<Command>(['DBSIZE']),
  fc.tuple(key, text).map(([name, token]) => evalCommand(releaseLock, name, token)),
  key.map((name) => evalCommand(dropLeftover, name)),
  command('SCAN', fc.constant(0), fc.constant(['COUNT', 1_000, 'MATCH']), pattern),
]

const collections = [
  command('HSET', key, some(text)),
  command('HSETNX', key, text, text),
  command('HDEL', key, some(text)),
  command('HGET', key, text),
  ...['HGETALL', 'HLEN', 'LLEN', 'XLEN'].map((name) => command(name, key)),
  command('RPUSH', key, some(text)),
  command('SADD', key, some(text)),
  command('LRANGE', key, number, number),
  command('XADD', key, id, some(text)),
  command('XADD', key, fc.constantFrom(['MAXLEN'], ['MAXLEN', '=']), number, id, fc.constant(['f', 'v'])),
  command('XRANGE', key, id, id),
  command('XREVRANGE', key, id, id, fc.constant('COUNT'), number),
]

/** What must be equal: errors by code and words, the keys of a scan in any order. */
const comparable = ([name]: Command, reply: Reply | undefined) => {
  if (reply instanceof RedisError) return `${reply.code} ${reply.message}`
  if (name !== 'SCAN' || !Array.isArray(reply)) return reply
  return reply.map((part) =>
    Array.isArray(part) ? part.map(String).toSorted((one, other) => (one < other ? -1 : 1)) : part,
  )
}

/** Each command with what it was answered, on an empty store. */
async function answersOf(connection: Connection, commands: readonly Command[]) {
  const [, ...replies] = await connection.send([['FLUSHDB'], ...commands])
  return commands.map((words, index) => [words, comparable(words, replies[index])])
}

describeWithRedis(
  'the embedded store and a real Redis',
  () => {
    let redis: TestRedis
    let real: Connection
    beforeAll(async () => {
      redis = await testRedis()
      real = createTcpConnection({ url: redis.url, deadlineMs: 5_000 })
    })
    afterAll(async () => {
      await real.close()
      await redis.stop()
    })

    const memory = createMemoryConnection({ clock: systemClock })

    it.each([
      ['strings', strings],
      ['all types', [...strings, ...collections, ...collections]],
    ])('answer the same to any sequence of commands on %s', async (_, commands) => {
      const sequence = fc.array(fc.oneof(...commands), { minLength: 1, maxLength: 30 })
      const property = fc.asyncProperty(sequence, async (words) => {
        expect(await answersOf(memory, words)).toEqual(await answersOf(real, words))
      })

      await fc.assert(property, { numRuns: 300 })
    })
  },
  { own: false },
)
