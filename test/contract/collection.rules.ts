import { expect } from 'vitest'
import { listOf, type Command } from '../../src/redis/transport.ts'
import { codeOf, type Rule } from './rule.ts'

/** Hashes, lists, sets and streams. */
export function collectionRules(rule: Rule) {
  collections(rule)
  streams(rule)
}

function collections(rule: Rule) {
  rule('answers HGETALL with a flat list', async (send) => {
    const replies = await send(['HSET', 'h', 'a', '1', 'b', 'null'], ['HGETALL', 'h'], ['HGETALL', 'none'])

    expect(replies).toEqual([2, ['a', '1', 'b', 'null'], []])
    expect(await send(['HGETALL', 'h'])).toEqual([['a', '1', 'b', 'null']])
  })

  rule('sets a field of a hash only where there is none', async (send) => {
    const replies = await send(['HSETNX', 'h', 'a', '1'], ['HSETNX', 'h', 'a', '2'], ['HSETNX', 'h', 'b', ''])

    expect(replies).toEqual([1, 0, 1])
    expect(await send(['HGETALL', 'h'])).toEqual([['a', '1', 'b', '']])
  })

  rule('counts new and deleted fields of a hash, which ends with its last field', async (send) => {
    expect(await send(['HSET', 'h', 'a', '1', 'b', '2'], ['HSET', 'h', 'a', '3', 'c', '4'])).toEqual([2, 1])
    expect(await send(['HGET', 'h', 'a'], ['HGET', 'h', 'none'], ['HLEN', 'h'])).toEqual(['3', null, 3])
    expect(await send(['HDEL', 'h', 'a', 'a', 'b'], ['HDEL', 'h', 'c'], ['EXISTS', 'h'])).toEqual([2, 1, 0])
  })

  rule('keeps the order of a list', async (send) => {
    const replies = await send(
      ['RPUSH', 'l', 'a', 'b'],
      ['RPUSH', 'l', 'c'],
      ['LLEN', 'l'],
      ['LRANGE', 'l', 0, -1],
      ['LRANGE', 'l', -2, 9],
      ['LRANGE', 'l', 2, 1],
      ['LRANGE', 'none', 0, -1],
    )

    expect(replies).toEqual([2, 3, 3, ['a', 'b', 'c'], ['b', 'c'], [], []])
  })

  rule('counts new members of a set', async (send) => {
    expect(await send(['SADD', 's', 'a', 'b', 'a'], ['SADD', 's', 'b', 'c'])).toEqual([2, 1])
  })
}

function streams(rule: Rule) {
  rule('reads a stream from either end, each entry as its id and a flat list', async (send) => {
    await send(['XADD', 's', '5-1', 'a', '1', 'b', '2'], ['XADD', 's', '5-2', 'a', '3'], ['XADD', 's', '7-0', 'a', '4'])

    const [first, second, third] = [
      ['5-1', ['a', '1', 'b', '2']],
      ['5-2', ['a', '3']],
      ['7-0', ['a', '4']],
    ]
    expect(await send(['XRANGE', 's', '-', '+'])).toEqual([[first, second, third]])
    expect(await send(['XREVRANGE', 's', '+', '-', 'COUNT', 2])).toEqual([[third, second]])
    expect(await send(['XRANGE', 's', '5', '5'], ['XRANGE', 's', '(5-1', '7'])).toEqual([
      [first, second],
      [second, third],
    ])
    expect(await send(['XLEN', 's'], ['XLEN', 'none'], ['XRANGE', 'none', '-', '+'])).toEqual([3, 0, []])
  })

  rule('keeps as many entries as MAXLEN says, the latest', async (send) => {
    for (const value of ['1', '2', '3', '4']) await send(['XADD', 's', 'MAXLEN', 2, '*', 'n', value])
    await send(['XADD', 's', 'MAXLEN', '=', 3, '*', 'n', '5'])

    const [entries = null] = await send(['XRANGE', 's', '-', '+'])
    expect(listOf(entries)).toEqual(['3', '4', '5'].map((value) => [expect.stringMatching(/^\d+-\d+$/), ['n', value]]))
  })

  rule('gives entries of the same instant rising ids', async (send) => {
    const add: Command = ['XADD', 's', '*', 'n', '1']
    const ids = await send(...Array.from({ length: 50 }, () => add))

    expect(new Set(ids).size).toBe(50)
    const [entries = null] = await send(['XRANGE', 's', '-', '+'])
    expect(listOf(entries)).toEqual(ids.map((id) => [id, ['n', '1']]))
  })

  rule('refuses an id that does not rise', async (send) => {
    const replies = await send(
      ['XADD', 's', '5-1', 'a', '1'],
      ['XADD', 's', '5-1', 'a', '1'],
      ['XADD', 's', '0-0', 'a', '1'],
    )

    expect(replies.map(codeOf)).toEqual([undefined, 'REDIS_REFUSED', 'REDIS_REFUSED'])
  })
}
