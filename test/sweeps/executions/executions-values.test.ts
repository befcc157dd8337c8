import { expect, it } from 'vitest'
import type { Command } from '../../../src/redis/transport.ts'
import { describeWithRedis } from '../../support/redis-server.ts'
import { DAY_MS, executionsRig, leftBy, PREFIX } from './executions-rig.ts'

const key = (rest: string) => PREFIX + rest
const filled = (name: string, value: string, fields: number): Command => [
  'HSET',
  key(name),
  ...Array.from({ length: fields }, (_, at) => [`f${at}`, value]).flat(),
]

describeWithRedis('the executions sweep, by the values of what it finds,', () => {
  const rig = executionsRig()
  const afterTwoDays = async () => {
    await rig.sweep()
    return (await rig.sweepAfter(2 * DAY_MS)).report
  }

  it.each<readonly [string, Command]>([
    ['transactions of something else', ['HSET', key('bank-transactions'), 'tx1', '100 EUR']],
    ['transactions of which one is of something else', ['HSET', key('bank-transactions'), 'a', 'true', 'b', 'false']],
    ['very many transactions of something else', filled('bank-transactions', '100 EUR', 1_500)],
    ['empty transactions', ['HSET', key('bank-transactions'), 'a', '']],
    ['results of something else', ['HSET', key('poll-results'), 'alice', 'yes']],
    ['very many results of something else', filled('poll-results', 'yes', 1_500)],
    ...[
      'no',
      'True',
      'truth',
      'nil',
      ' 1',
      '+1',
      '.5',
      '1,5',
      '2026-11-21',
      '"',
      '"a',
      '{',
      '[1',
      "'a'",
      'a=b',
      '-',
    ].map((text): [string, Command] => [
      `a result of ${JSON.stringify(text)}`,
      ['HSET', key('some-results'), 'a', text],
    ]),
  ])('keeps, counts and names %s', async (_, command) => {
    await rig.ask(command)

    const report = await afterTwoDays()

    expect(report).toMatchObject({ scanned: 1, due: 0, deleted: 0, unreadable: { count: 1, sample: [command[1]] } })
    expect(await rig.keys()).toEqual([command[1]])
    expect(await rig.seen()).toEqual({})
  })

  it('keeps all keys of an execution of which one holds something else', async () => {
    await rig.ask(...leftBy('one', { committed: [] }), ['HSET', key('one-results'), 'a', 'yes'])

    expect(await afterTwoDays()).toMatchObject({ due: 0, unreadable: { count: 1, sample: [key('one')] } })
    expect(await rig.keys()).toHaveLength(3)
  })

  const results = ['', 'null', 'true', 'false', '0', '-0', '-1.5', '1e+21', '1.5e-7', '""', '"a"', '"\\""', '[]', '[1]']
  it.each([...results, '{}', '{"a":[null]}', '"ü\u2028"', `"${'x'.repeat(2 ** 16)}"`])(
    'removes an execution with a result as a store writes it: %j',
    async (text) => {
      await rig.ask(...leftBy('one', { committed: [] }), ['HSET', key('one-results'), 'a', text])

      expect(await afterTwoDays()).toMatchObject({ deleted: 1, unreadable: { count: 0 } })
      expect(await rig.keys()).toEqual([])
    },
  )

  it('removes executions with very many tasks begun and committed', async () => {
    await rig.ask(
      ['SET', key('one'), 'true'],
      filled('one-transactions', 'true', 1_500),
      filled('one-results', '{"a":1}', 1_500),
    )

    expect(await afterTwoDays()).toMatchObject({ deleted: 1 })
    expect(await rig.keys()).toEqual([])
  })
})
