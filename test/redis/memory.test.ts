import { describe, expect, it } from 'vitest'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { type Command, listOf } from '../../src/redis/transport.ts'

/** A store whose time stands still until a test moves it. */
function createStore() {
  const time = { nowMs: Date.parse('2026-03-28T23:58:00Z') }
  const connection = createMemoryConnection({ clock: () => time.nowMs })
  return { time, send: (...commands: Command[]) => connection.send(commands) }
}

const setAll = (names: readonly string[]) => names.map((name): Command => ['SET', name, '1'])

describe('the embedded store', () => {
  it('expires keys by the clock it was given, at the exact millisecond', async () => {
    const { time, send } = createStore()
    await send(['SET', 'a', '1', 'EX', 60], ['SET', 'b', '1'], ['PEXPIRE', 'b', 59_999])

    time.nowMs += 59_999
    expect(await send(['MGET', 'a', 'b'], ['PTTL', 'a'], ['DBSIZE'])).toEqual([['1', null], 1, 1])

    time.nowMs += 1
    expect(await send(['GET', 'a'], ['TYPE', 'a'], ['TTL', 'a'], ['DBSIZE'])).toEqual([null, 'none', -2, 0])
  })

  it('forgets the expiry of a key that has expired, whatever is written to it next', async () => {
    const { time, send } = createStore()
    await send(['SET', 'a', '1', 'EX', 60], ['SET', 'b', '1', 'EX', 60])

    time.nowMs += 60_000

    expect(await send(['APPEND', 'a', 'x'], ['TTL', 'a'])).toEqual([1, -1])
    expect(await send(['SET', 'b', 'x', 'NX', 'KEEPTTL'], ['TTL', 'b'])).toEqual(['OK', -1])
  })

  it('looks at COUNT keys a call, before the pattern is applied', async () => {
    const { send } = createStore()
    await send(...setAll(['x1', 'order:1', 'x2', 'order:2', 'x3']))

    expect(await send(['SCAN', 0, 'COUNT', 3, 'MATCH', 'order:*'])).toEqual([['3', ['order:1']]])
    expect(await send(['SCAN', 3, 'COUNT', 3, 'MATCH', 'order:*'])).toEqual([['0', ['order:2']]])
  })

  it('ends a scan with its last key, without an empty page', async () => {
    const { send } = createStore()
    await send(...setAll(['a', 'b']))

    expect(await send(['SCAN', 0, 'COUNT', 2])).toEqual([['0', ['a', 'b']]])
  })

  it('scans keys once that are written again, and again those that went and came', async () => {
    const { send } = createStore()
    await send(...setAll(['a', 'b', 'c']))
    const [[cursor = null] = []] = (await send(['SCAN', 0, 'COUNT', 2])).map(listOf)

    await send(['SET', 'a', '2'], ['UNLINK', 'b'], ['SET', 'b', '2'])

    expect(await send(['SCAN', String(cursor), 'COUNT', 9])).toEqual([['0', ['c', 'b']]])
  })

  it('does not keep the places of keys that have gone', async () => {
    const { send } = createStore()
    for (let round = 0; round < 50; round++) {
      const names = Array.from({ length: 100 }, (_, index) => `order:${round}:${index}`)
      await send(...setAll(names))
      await send(['UNLINK', ...names])
    }
    await send(['SET', 'last', '1'])

    expect(await send(['SCAN', 0, 'COUNT', 200])).toEqual([['0', ['last']]])
  })

  it('numbers the entries of a stream by the clock, and goes on where the clock stands or goes back', async () => {
    const { time, send } = createStore()
    time.nowMs = 5_000
    const first = await send(['XADD', 's', '*', 'a', '1'], ['XADD', 's', '*', 'a', '1'])
    time.nowMs = 4_000
    const second = await send(['XADD', 's', '*', 'a', '1'])

    expect([...first, ...second]).toEqual(['5000-0', '5000-1', '5000-2'])
  })

  it('runs no script but those it knows by name', async () => {
    const { send } = createStore()

    expect(await send(['EVAL', "return redis.call('FLUSHDB')", 0])).toEqual([
      expect.objectContaining({ code: 'REDIS_REFUSED' }),
    ])
  })

  it('knows commands in lower case, and none by the names of object properties', async () => {
    const { send } = createStore()
    const refused = expect.objectContaining({ code: 'REDIS_REFUSED' })

    expect(await send(['set', 'a', '1'], ['get', 'a'], ['constructor'], ['toString', 'a'])).toEqual([
      'OK',
      '1',
      refused,
      refused,
    ])
  })

  it('is empty in each new connection', async () => {
    await createStore().send(['SET', 'a', '1'])

    expect(await createStore().send(['DBSIZE'])).toEqual([0])
  })
})
