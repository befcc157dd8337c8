import * as fc from 'fast-check'
import { expect } from 'vitest'
import type { Rule } from './rule.ts'

/** Texts as they are, SET and its options, lengths in bytes. */
export function stringRules(rule: Rule) {
  for (const rules of [texts, setting, bytes]) rules(rule)
}

const oddTexts = [
  ['', ' ', '0', '123', '-1', '007', '1e3', '1.50', '9007199254740993', 'null', 'true', 'undefined', 'NaN', 'OK'],
  ['{"a":1}', '[1,2]', '"quoted"', '\\', "it's", 'Grüße', '👩‍🚒 😀', 'שלום', '\u{10ffff}', '\ufeffmark'],
  ['line\nfeed', 'carriage\r\nreturn', '\u0000zero', '{"id":"a"}\u001e{"id":"b"}\n', '$5\r\nhello\r\n', 'T0s='],
].flat()

function texts(rule: Rule) {
  rule('gives back every text as it was written, above all what looks like a number or JSON', async (send) => {
    for (const text of oddTexts) {
      expect(await send(['SET', 'order:a', text], ['GET', 'order:a'])).toEqual(['OK', text])
      expect(await send(['GET', 'order:a'])).toEqual([text])
    }
    expect(await send(['RPUSH', 'texts', ...oddTexts], ['LRANGE', 'texts', 0, -1])).toEqual([oddTexts.length, oddTexts])
  })

  rule('gives back any well-formed text, as value and as key', async (send) => {
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    const roundTrip = async (key: string, value: string) => {
      const replies = await send(['SET', `k${key}`, value], ['GET', `k${key}`], ['EXISTS', `k${key}`])
      expect(replies).toEqual(['OK', value, 1])
    }

    await fc.assert(fc.asyncProperty(text, text, roundTrip), { numRuns: 50 })
  })

  rule('replaces half a surrogate pair by U+FFFD, which is three bytes', async (send) => {
    const replies = await send(['SET', 'a', 'x\ud83d'], ['GET', 'a'], ['STRLEN', 'a'], ['APPEND', 'a', '\ude00'])

    expect(replies).toEqual(['OK', 'x\ufffd', 4, 7])
  })

  rule('sends numbers as their decimal text', async (send) => {
    const replies = await send(['SET', 'n', 42, 'EX', 100], ['GET', 'n'], ['STRLEN', 'n'], ['APPEND', 'n', 0])

    expect(replies).toEqual(['OK', '42', 2, 3])
  })

  rule('answers integers as numbers, a missing value as null and a status as its word', async (send) => {
    const replies = await send(['PING'], ['EXISTS', 'a'], ['GET', 'a'], ['TYPE', 'a'], ['DBSIZE'])

    expect(replies).toEqual(['PONG', 0, null, 'none', 0])
  })

  rule('answers INFO with the text that names the version', async (send) => {
    const [info] = await send(['INFO'])

    expect(info).toMatch(/^redis_version:\d/m)
  })
}

function setting(rule: Rule) {
  rule('sets a key with NX only where there is none, of whatever type', async (send) => {
    await send(['RPUSH', 'list', 'x'])

    const replies = await send(
      ['SET', 'a', '1', 'NX'],
      ['SET', 'a', '2', 'NX'],
      ['SET', 'list', '1', 'NX'],
      ['GET', 'a'],
    )

    expect(replies).toEqual(['OK', null, null, '1'])
  })

  rule('sets a key with XX only where there is one', async (send) => {
    const replies = await send(['SET', 'a', '1', 'XX'], ['SET', 'a', '2'], ['SET', 'a', '3', 'xx'], ['GET', 'a'])

    expect(replies).toEqual([null, 'OK', 'OK', '3'])
  })

  rule('leaves value and expiry alone when NX is not met', async (send) => {
    await send(['SET', 'a', '1', 'NX', 'EX', 1_000])

    expect(await send(['SET', 'a', '2', 'NX', 'EX', 5], ['GET', 'a'], ['TTL', 'a'])).toEqual([null, '1', 1_000])
  })

  rule('replaces a value of another type by SET', async (send) => {
    expect(await send(['RPUSH', 'a', 'x'], ['SET', 'a', '1'], ['TYPE', 'a'])).toEqual([1, 'OK', 'string'])
  })
}

function bytes(rule: Rule) {
  rule('answers APPEND with the length in bytes, not in characters', async (send) => {
    const replies = await send(['APPEND', 'a', 'ü'], ['APPEND', 'a', '😀'], ['APPEND', 'a', '\u001e'], ['GET', 'a'])

    expect(replies).toEqual([2, 6, 7, 'ü😀\u001e'])
  })

  rule('keeps the expiry of a key that is appended to', async (send) => {
    await send(['SET', 'a', '1', 'EX', 1_000])

    expect(await send(['APPEND', 'a', '2'], ['TTL', 'a'])).toEqual([2, 1_000])
  })

  rule('makes a key without expiry by APPEND where there is none, even of nothing', async (send) => {
    expect(await send(['APPEND', 'a', ''], ['TYPE', 'a'], ['TTL', 'a'])).toEqual([0, 'string', -1])
  })

  rule('measures and cuts strings in bytes', async (send) => {
    await send(['SET', 'a', 'aüb'])

    const replies = await send(
      ['STRLEN', 'a'],
      ['GETRANGE', 'a', 1, 2],
      ['GETRANGE', 'a', -1, -1],
      ['GETRANGE', 'b', 0, 0],
    )

    expect(replies).toEqual([4, 'ü', 'b', ''])
  })
}
