import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { createMeter, worstCost } from '../../src/redis/meter.ts'
import { dropLeftover, evalCommand, releaseLock } from '../../src/redis/scripts.ts'
import type { Command } from '../../src/redis/transport.ts'
import { fakeClock } from '../support/clock.ts'
import { failure, lost, lostReply, watched } from '../support/transport.ts'

const FREE = ['AUTH', 'COMMAND', 'CONFIG', 'HELLO', 'INFO', 'PING', 'QUIT', 'RESET', 'SELECT']

function createRig() {
  const transport = watched(createMemoryConnection({ clock: fakeClock('2025-12-08T21:00:00+01:00') }).send)
  const meter = createMeter(transport.send)
  return { transport, meter, account: meter.open('orders') }
}

describe('the meter', () => {
  it('counts every command of a request by upper-case name, and the request once', async () => {
    const { account } = createRig()

    await account.send([
      ['SET', 'a', '1'],
      ['get', 'a'],
      ['GET', 'a'],
    ])

    expect(account.cost()).toEqual({ commands: { GET: 2, SET: 1 }, billed: 3, requests: 1 })
  })

  it.each(FREE)('counts %s, in any case, but does not bill it', async (name) => {
    const meter = createMeter(async (commands) => commands.map(() => 'OK'))
    const account = meter.open('orders')

    await account.send([[name], [name.toLowerCase()]])

    expect(account.cost()).toEqual({ commands: { [name]: 2 }, billed: 0, requests: 1 })
  })

  it.each(['DBSIZE', 'TTL', 'EXISTS', 'TIME', 'TYPE', 'EXPIRE', 'SCAN', 'MULTI'])('bills %s', async (name) => {
    expect(worstCost([[name]])).toBe(1)
  })

  it('sends nothing and charges nothing for no command', async () => {
    const { account, transport } = createRig()

    expect(await account.send([])).toEqual([])
    expect(account.cost()).toEqual({ commands: {}, billed: 0, requests: 0 })
    expect(transport.sent()).toEqual([])
  })

  it('charges refused commands', async () => {
    const { account } = createRig()

    await account.send([['NOSUCHCOMMAND']])

    expect(account.cost().billed).toBe(1)
  })

  it.each([
    ['that never arrived', lost],
    ['whose answer was lost', lostReply],
    ['that was refused as a whole', async () => Promise.reject(failure('REDIS_LIMIT'))],
  ])('charges a request %s, and again when it is repeated', async (_, fault) => {
    const { account, transport } = createRig()
    transport.onRequest = fault

    for (const times of [1, 2]) {
      await expect(account.send([['GET', 'a'], ['PING']])).rejects.toThrow(Error)
      expect(account.cost()).toEqual({ commands: { GET: times, PING: times }, billed: times, requests: times })
    }
  })

  it('charges a request before its answer has come', async () => {
    const { account, transport } = createRig()
    let atOnce = 0
    transport.onRequest = async (_, carryOut) => {
      atOnce = account.cost().billed
      return carryOut()
    }

    await account.send([
      ['GET', 'a'],
      ['GET', 'b'],
    ])

    expect(atOnce).toBe(2)
  })
})

/** What a command cost after another one had prepared the store. */
const costOf = async (prepare: Command, command: Command) => {
  const { account, transport } = createRig()
  await transport.send([prepare])
  await account.send([command])
  return account.cost()
}

describe('a script', () => {
  it.each([
    ['that releases a lock', ['SET', 'k', 'mine'], evalCommand(releaseLock, 'k', 'mine'), { EVAL: 1, GET: 1, DEL: 1 }],
    ['that finds a lock lost', ['SET', 'k', 'theirs'], evalCommand(releaseLock, 'k', 'mine'), { EVAL: 1, GET: 1 }],
    [
      'that drops a leftover',
      ['SET', 'k', '\u001e{}'],
      evalCommand(dropLeftover, 'k'),
      { EVAL: 1, GETRANGE: 1, UNLINK: 1 },
    ],
    ['that finds an order', ['SET', 'k', '{}'], evalCommand(dropLeftover, 'k'), { EVAL: 1, GETRANGE: 1 }],
    [
      'that is refused, at worst',
      ['RPUSH', 'k', '1'],
      evalCommand(dropLeftover, 'k'),
      { EVAL: 1, GETRANGE: 1, UNLINK: 1 },
    ],
  ] as const)('%s is charged as itself and what it ran inside', async (_, prepare, command, commands) => {
    expect(await costOf(prepare, command)).toMatchObject({ commands, billed: Object.keys(commands).length })
  })

  it('whose answer was lost is charged at its worst', async () => {
    const { account, transport } = createRig()
    transport.onRequest = lost

    await expect(account.send([evalCommand(releaseLock, 'k', 'mine')])).rejects.toThrow(Error)

    expect(account.cost()).toMatchObject({ commands: { EVAL: 1, GET: 1, DEL: 1 }, billed: 3 })
  })

  it('that is foreign is charged as itself', async () => {
    const { account } = createRig()

    await account.send([['EVAL', 'return 1', 0]])

    expect(account.cost().commands).toEqual({ EVAL: 1 })
  })

  it('is reckoned at its worst before it is sent', () => {
    expect(worstCost([evalCommand(releaseLock, 'k', 'mine'), ['GET', 'a'], ['PING']])).toBe(4)
    expect(worstCost([])).toBe(0)
  })
})

describe('accounts', () => {
  it('tell their own share, however many work at the same time, and add up', async () => {
    const anyWork = fc.array(
      fc.record({
        account: fc.nat(3),
        commands: fc.array(fc.constantFrom<Command>(['GET', 'a'], ['PING'], ['DBSIZE']), { maxLength: 3 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(anyWork, async (work) => {
        const { meter } = createRig()
        const accounts = [meter.open('orders'), meter.open('orders'), meter.open('sweep:orders'), meter.open('usage')]
        const billedOf = (which: number) =>
          work
            .filter(({ account }) => account === which)
            .flatMap(({ commands }) => commands)
            .filter(([name]) => name !== 'PING').length

        await Promise.all(work.map(async ({ account, commands }) => accounts[account]?.send(commands)))

        expect(accounts.map((account) => account.cost().billed)).toEqual([0, 1, 2, 3].map(billedOf))
        expect(meter.costByPurpose()['orders']?.billed).toBe(billedOf(0) + billedOf(1))
        expect(meter.cost().billed).toBe(accounts.reduce((sum, account) => sum + account.cost().billed, 0))
        expect(meter.cost().requests).toBe(work.filter(({ commands }) => commands.length > 0).length)
      }),
      { numRuns: 50 },
    )
  })

  it('of one purpose begin at nothing, while the purpose goes on', async () => {
    const { meter, account } = createRig()
    await account.send([['GET', 'a']])

    expect(meter.open('orders').cost().billed).toBe(0)
    expect(meter.costByPurpose()).toEqual({ orders: { commands: { GET: 1 }, billed: 1, requests: 1 } })
  })
})
