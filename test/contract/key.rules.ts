import { expect, vi } from 'vitest'
import { type Command, integerOf, listOf } from '../../src/redis/transport.ts'
import { numbered, type Rule, type Send } from './rule.ts'

/** Keys of any type: counting, expiry, SCAN. */
export function keyRules(rule: Rule) {
  for (const rules of [keys, expiry, scanning]) rules(rule)
}

function keys(rule: Rule) {
  rule('answers MGET in the order of its keys, with null for no key and for another type', async (send) => {
    await send(['SET', 'a', '1'], ['HSET', 'h', 'f', 'v'], ['SET', 'b', ''])

    expect(await send(['MGET', 'b', 'none', 'h', 'a', 'a'])).toEqual([['', null, null, '1', '1']])
  })

  rule('counts by UNLINK and DEL the keys that there were, each once', async (send) => {
    await send(['SET', 'a', '1'], ['SET', 'b', '1'], ['RPUSH', 'c', 'x'])

    expect(await send(['UNLINK', 'a', 'c', 'none', 'a'], ['DEL', 'b', 'b'], ['DBSIZE'])).toEqual([2, 1, 0])
  })

  rule('names the type of a key', async (send) => {
    await send(['SET', 's', '1'], ['HSET', 'h', 'f', 'v'], ['RPUSH', 'l', 'x'], ['SADD', 'm', 'x'])
    await send(['XADD', 'x', '*', 'f', 'v'])

    const replies = await send(...['s', 'h', 'l', 'm', 'x', 'none'].map((key): Command => ['TYPE', key]))

    expect(replies).toEqual(['string', 'hash', 'list', 'set', 'stream', 'none'])
  })
}

function expiry(rule: Rule) {
  rule('tells the seconds that a key has left, -1 for ever and -2 for no key', async (send) => {
    await send(['SET', 'a', '1', 'EX', 1_000], ['SET', 'b', '1', 'PX', 2_000_000], ['SET', 'c', '1'])

    const replies = await send(['TTL', 'a'], ['TTL', 'b'], ['TTL', 'c'], ['TTL', 'none'])

    expect(replies).toEqual([1_000, 2_000, -1, -2])
  })

  rule('tells the milliseconds that a key has left', async (send) => {
    const [, left] = await send(['SET', 'a', '1', 'PX', 60_000], ['PTTL', 'a'])

    expect(integerOf(left ?? null)).toBeGreaterThan(50_000)
    expect(integerOf(left ?? null)).toBeLessThanOrEqual(60_000)
  })

  rule('sets, keeps and takes away an expiry', async (send) => {
    await send(['SET', 'a', '1', 'EX', 1_000])
    expect(await send(['SET', 'a', '2', 'KEEPTTL'], ['TTL', 'a'])).toEqual(['OK', 1_000])
    expect(await send(['SET', 'a', '3'], ['TTL', 'a'])).toEqual(['OK', -1])
    expect(await send(['EXPIRE', 'a', 500], ['TTL', 'a'], ['EXPIRE', 'none', 500])).toEqual([1, 500, 0])
    expect(await send(['PERSIST', 'a'], ['PERSIST', 'a'], ['TTL', 'a'])).toEqual([1, 0, -1])
    expect(await send(['PEXPIRE', 'a', 90_000], ['TTL', 'a'])).toEqual([1, 90])
  })

  rule('removes a key at once whose expiry is set to now or earlier', async (send) => {
    await send(['SET', 'a', '1'], ['SET', 'b', '1'])

    expect(await send(['EXPIRE', 'a', 0], ['PEXPIRE', 'b', -1], ['EXISTS', 'a', 'b'])).toEqual([1, 1, 0])
  })

  rule('removes a key when its time has come', async (send) => {
    await send(['SET', 'a', '1', 'PX', 30])

    await vi.waitFor(async () => expect(await send(['GET', 'a'])).toEqual([null]))

    expect(await send(['SET', 'a', '2', 'NX'])).toEqual(['OK'])
  })
}

/** Scans to the end; `meanwhile` runs after each page. */
async function scanAll(send: Send, options: readonly (string | number)[], meanwhile = async () => {}) {
  const found: unknown[] = []
  let cursor = '0'
  do {
    const [page = null] = await send(['SCAN', cursor, ...options])
    const [next, names = null] = listOf(page)
    found.push(...listOf(names))
    cursor = String(next)
    await meanwhile()
  } while (cursor !== '0')
  return new Set(found)
}

const setAll = (names: readonly string[]) => names.map((name): Command => ['SET', name, '1'])

function scanning(rule: Rule) {
  rule('finds by SCAN every key that is there all the time, while others come and go', async (send) => {
    const [lasting, going] = [numbered('order:lasting:', 600), numbered('order:going:', 600)]
    await send(...setAll(lasting), ...setAll(going))
    let step = 0

    const found = await scanAll(send, ['MATCH', 'order:*', 'COUNT', 50], async () => {
      await send(['UNLINK', ...going.splice(0, 60), 'none'], ...setAll(numbered(`order:coming:${step++}:`, 40)))
    })

    expect(lasting.filter((name) => !found.has(name))).toEqual([])
  })

  rule('tells keys apart by pattern and by type', async (send) => {
    await send(...setAll(['order:1', 'order:2', 'orders', 'other']), ['RPUSH', 'order:list', 'x'])

    expect(await scanAll(send, ['MATCH', 'order:*'])).toEqual(new Set(['order:1', 'order:2', 'order:list']))
    expect(await scanAll(send, ['MATCH', 'order:?'])).toEqual(new Set(['order:1', 'order:2']))
    expect(await scanAll(send, ['TYPE', 'list', 'COUNT', 100])).toEqual(new Set(['order:list']))
    expect(await scanAll(send, ['MATCH', 'none'])).toEqual(new Set())
  })

  rule('empties the database', async (send) => {
    expect(await send(...setAll(['a', 'b']), ['DBSIZE'], ['FLUSHDB'], ['DBSIZE'])).toEqual(['OK', 'OK', 2, 'OK', 0])
  })
}
