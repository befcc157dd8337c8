import { describe, expect, it } from 'vitest'
import { slowCommandsOf } from '../../../src/redis/status/slow-log.ts'
import type { Value } from '../../../src/redis/transport.ts'

const entry = (words: Value, micros: Value = 1_500, seconds: Value = 1_763_726_400): Value => [
  17,
  seconds,
  micros,
  words,
  '127.0.0.1:5',
  'name',
]

describe('the slow log', () => {
  it('tells when a command was run, for how long and which, and nothing of its arguments', () => {
    const entries = slowCommandsOf([entry(['keys', 'order:*']), entry(['HGETALL', 'user:anna'], 25)])

    expect(entries).toEqual([
      { atMs: 1_763_726_400_000, micros: 1_500, command: 'KEYS' },
      { atMs: 1_763_726_400_000, micros: 25, command: 'HGETALL' },
    ])
  })

  it.each([
    // What somebody renamed a command to is a secret of the server's configuration.
    [['b840fc02d524045429941cc15f59e41cb7be6c52', 'GET']],
    [['FLUSHALL_NEVER', 'x']],
    [['two words']],
    [['\u001b[2J']],
    [['x'.repeat(30)]],
    [[]],
    [null],
    ['GET'],
  ] as readonly [Value][])('never tells of %j what was run', (words) => {
    expect(slowCommandsOf([entry(words)])[0]?.command).toBe('(unknown)')
  })

  it.each([null, 'OK', 7, [], [7], [[]], [[17, 'x', 5, ['GET']]], [[17, 5, null, ['GET']]]] as readonly Value[])(
    'of which a server says %j is empty',
    (reply) => {
      expect(slowCommandsOf(reply)).toEqual([])
    },
  )
})
