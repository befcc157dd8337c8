import { describe, expect, it } from 'vitest'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createSlotMemory } from '../../src/schedule/slots.ts'
import { fakeClock } from '../support/clock.ts'
import { lostReply, spoil, watched } from '../support/transport.ts'

const KEY = 'orderly:schedule:orders'

function rig() {
  const { send } = createMemoryConnection({ clock: fakeClock('2025-12-08T20:00:00+01:00') })
  return { transport: watched(send), memory: createSlotMemory('orders'), store: send }
}

describe('the memory of the last done slot', () => {
  it('is empty at first, and then what was marked', async () => {
    const { transport, memory } = rig()

    expect(await memory.lastDone(transport.send)).toBeUndefined()
    await memory.markDone(transport.send, '2025-12-08T23:59')
    await memory.markDone(transport.send, '2025-12-11T23:59')

    expect(await memory.lastDone(transport.send)).toBe('2025-12-11T23:59')
  })

  it('costs one command each', async () => {
    const { transport, memory } = rig()

    await memory.markFirst(transport.send, '2025-12-08T23:59')
    await memory.markDone(transport.send, '2025-12-11T23:59')
    await memory.lastDone(transport.send)

    expect(transport.sent()).toEqual([
      ['SET', KEY, '2025-12-08T23:59', 'NX'],
      ['SET', KEY, '2025-12-11T23:59'],
      ['GET', KEY],
    ])
  })

  it('keeps what is there when a first boot comes late', async () => {
    const { transport, memory } = rig()
    await memory.markDone(transport.send, '2025-12-08T23:59')

    await memory.markFirst(transport.send, '2025-12-11T23:59')

    expect(await memory.lastDone(transport.send)).toBe('2025-12-08T23:59')
  })

  it.each([
    '',
    'done',
    '2025-12-08',
    '2025-13-08T23:59',
    '9999-99-99T99:99',
    'zzzz-12-08T23:59',
    '2025-12-08T23:59 ',
    '{"slot":1}',
  ])('takes %j for none, for it would sort after every slot or before none', async (text) => {
    const { transport, memory, store } = rig()
    await store([['SET', KEY, text]])

    expect(await memory.lastDone(transport.send)).toBeUndefined()
  })

  it.each([
    ['GET', 'lastDone'],
    ['SET', 'markDone'],
    ['SET', 'markFirst'],
  ] as const)('asks again when the answer to its %s was lost (%s)', async (command, call) => {
    const { transport, memory } = rig()
    transport.onRequest = spoil(command, lostReply)

    await memory[call](transport.send, '2025-12-08T23:59')

    expect(transport.sent().map(([name]) => name)).toEqual([command, command])
  })
})
