import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../../src/redis/connect.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import type { Command, Connection, Transport } from '../../src/redis/transport.ts'
import { fakeClock } from '../support/clock.ts'
import { aMove, anOrder, formerBotOrders, keyOf, oddOrders, storeOdd, storedText } from '../support/orders.ts'
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startRestServer } from '../support/rest-server.ts'
import { allKeys, createSweepRig, historyOf } from '../support/sweep-rig.ts'
import { failure, lost, lostReply, spoil } from '../support/transport.ts'

/** A store under test, and what its server counted where it has one. */
interface Store {
  readonly send: Transport
  stats?(): Promise<Readonly<Record<string, number>>>
  resetStats?(): Promise<void>
}

const ordersOf = async (send: Transport) => (await allKeys(send)).filter((key) => key.startsWith('order:'))
const storeFormer = (send: Transport) => send(formerBotOrders.map(({ key, value }): Command => ['SET', key, value]))
const counts = ({ deleted, kept, keptOpen }: { deleted: number; kept: number; keptOpen: number }) => ({
  deleted,
  kept,
  keptOpen,
})
const withoutFree = (stats: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(stats).filter(([name]) => !FREE.has(name)))
const FREE = new Set(['AUTH', 'CONFIG', 'INFO', 'HELLO', 'SELECT', 'PING', 'COMMAND', 'CLIENT'])

/** Odd orders with one of these verdicts. */
const having = (...verdicts: string[]) => oddOrders.filter(({ verdict }) => verdicts.includes(verdict))

const old = (count: number) =>
  Array.from({ length: count }, (_, at): Command => [
    'SET',
    `order:old${at}`,
    storedText(anOrder({ created_at: '2025-11-01T12:00:00+01:00', status: 'delivered' })),
  ])
const young = (count: number) =>
  Array.from({ length: count }, (_, at): Command => ['SET', `order:young${at}`, storedText(anOrder())])

/** What the order pruner must do to any store. `open` gives an empty one. */
function rules(open: () => Promise<Store>) {
  it('treats every odd order as the table says', async () => {
    const { send } = await open()
    const [{ now, days } = { now: '', days: 0 }] = oddOrders
    await send(oddOrders.map(storeOdd))
    const rig = createSweepRig({ now, send })

    const { report } = await rig.prune({ days })

    const left = (await allKeys(send)).filter((key) => !key.startsWith('orderly:'))
    expect(left.toSorted()).toEqual(
      having('kept', 'kept-open', 'unreadable', 'untouched')
        .map(({ key }) => key)
        .toSorted(),
    )
    expect(report).toMatchObject({
      outcome: 'done',
      scanned: oddOrders.length - having('untouched').length,
      due: having('deleted').length,
      deleted: having('deleted').length,
      kept: having('kept').length,
      keptOpen: having('kept-open').length,
      unreadable: { count: having('unreadable').length },
    })
    expect(report.unreadable.sample).toHaveLength(5)
    expect(having('unreadable').map(({ key }) => key)).toEqual(expect.arrayContaining([...report.unreadable.sample]))
  })

  it('finds only the kept ones the second time', async () => {
    const { send } = await open()
    const [{ now, days } = { now: '', days: 0 }] = oddOrders
    await send(oddOrders.map(storeOdd))
    const rig = createSweepRig({ now, send })
    const first = await rig.prune({ days })

    const second = await rig.prune({ days })

    expect(second.report).toMatchObject({
      due: 0,
      deleted: 0,
      kept: first.report.kept,
      keptOpen: first.report.keptOpen,
      unreadable: { count: first.report.unreadable.count },
    })
  })

  it('counts without deleting in a dry run, takes no lock and writes no history', async () => {
    const { send } = await open()
    const [{ now, days } = { now: '', days: 0 }] = oddOrders
    await send(oddOrders.map(storeOdd))
    const rig = createSweepRig({ now, send })
    const before = await allKeys(send)

    const { report } = await rig.prune({ days, dryRun: true })

    expect((await allKeys(send)).toSorted()).toEqual(before.toSorted())
    expect(report).toMatchObject({ outcome: 'planned', dryRun: true, due: 20, deleted: 0, kept: 9, keptOpen: 5 })
    expect(Object.keys(report.commands)).toEqual(['MGET', 'SCAN', 'TYPE'])
    expect(await historyOf(send, 'orders')).toEqual([])
  })

  it('prunes the 225 orders of the former bot for 3 commands, lock, record and release for 5 more', async () => {
    const store = await open()
    await storeFormer(store.send)
    const rig = createSweepRig({ now: '2025-12-08T21:00:00+01:00', send: store.send })
    await store.resetStats?.()

    const { report } = await rig.prune({ days: 2 })

    const stats = await store.stats?.()
    expect(counts(report)).toEqual({ deleted: 143, kept: 82, keptOpen: 0 })
    expect(await ordersOf(store.send)).toHaveLength(82)
    expect(report.commands).toEqual({ SCAN: 1, MGET: 1, UNLINK: 1, SET: 1, XADD: 1, EVAL: 1, GET: 1, DEL: 1 })
    expect(report.billedCommands).toBe(8)
    expect(withoutFree(stats ?? report.commands)).toEqual(report.commands)
  })

  it('prunes them of everything before today with 0 days', async () => {
    const { send } = await open()
    await storeFormer(send)
    const rig = createSweepRig({ now: '2025-12-08T21:00:00+01:00', send })
    await rig.prune({ days: 2 })

    const { report } = await rig.prune({ days: 0 })

    expect(counts(report)).toEqual({ deleted: 61, kept: 21, keptOpen: 0 })
    expect(await ordersOf(send)).toHaveLength(21)
  })

  it('keeps the open ones of the former bot longer', async () => {
    const { send } = await open()
    await storeFormer(send)
    const rig = createSweepRig({ now: '2025-12-11T23:59:00+01:00', send })

    const { report } = await rig.prune({ days: 2 })

    expect(counts(report)).toEqual({ deleted: 215, kept: 0, keptOpen: 10 })
    expect(report.scanned).toBe(225)
    expect(await ordersOf(send)).toHaveLength(10)
  })

  it('reads no value of an order whose key carries an age that decides', async () => {
    const { send } = await open()
    const keys = ['2025-12-08T12:00:00Z', '2025-12-06T12:00:00Z', '2025-12-02T12:00:00Z', '2025-11-02T12:00:00Z']
    await send(keys.map((time): Command => ['SET', keyOf(time), storedText(anOrder())]))
    const rig = createSweepRig({ send })

    const { report } = await rig.prune({ days: 2 })

    expect(report).toMatchObject({ deleted: 2, kept: 2, commands: { SCAN: 1, UNLINK: 1 }, valueBytes: 0 })
    expect(report.commands).not.toHaveProperty('MGET')
  })
}

describe('the order pruner over the embedded store', () => {
  rules(async () => {
    const connection = createMemoryConnection({ clock: fakeClock('2025-12-08T21:00:00+01:00') })
    return { send: connection.send }
  })
})

describeWithRedis('the order pruner over a real Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server.stop())

  const emptied = async (connection: Connection): Promise<Store> => {
    await connection.send([['FLUSHDB']])
    return { send: connection.send, stats: server.stats, resetStats: server.resetStats }
  }
  const clock = fakeClock('2025-12-08T21:00:00+01:00')

  describe('by tcp', () => {
    let connection: Connection
    beforeAll(async () => {
      connection = await connect({ kind: 'tcp', url: server.url }, { clock })
    })
    afterAll(() => connection.close())

    rules(() => emptied(connection))
  })

  describe('by REST', () => {
    let connection: Connection
    let stop: () => Promise<void>
    beforeAll(async () => {
      const rest = await startRestServer({ redisUrl: server.url })
      connection = await connect({ kind: 'upstash', url: rest.url, token: rest.token }, { clock })
      stop = rest.stop
    })
    afterAll(async () => {
      await connection.close()
      await stop()
    })

    rules(() => emptied(connection))
  })
})

describe('the order pruner', () => {
  let rig: ReturnType<typeof createSweepRig>
  beforeEach(() => {
    rig = createSweepRig()
  })

  it('sends nothing but SCAN for an empty store', async () => {
    const { report } = await rig.prune({ dryRun: true })

    expect(report).toMatchObject({ outcome: 'planned', scanned: 0, commands: { SCAN: 1 }, billedCommands: 1 })
  })

  it('collects keys across pages: 9 999 orders and the lock cost 10 SCAN, some MGET of 2 000 and 2 UNLINK', async () => {
    await rig.store(...old(9_000), ...young(999))

    const { report } = await rig.prune()

    expect(report).toMatchObject({ deleted: 9_000, kept: 999, commands: { SCAN: 10, UNLINK: 2 } })
    expect(report.commands['MGET']).toBeLessThanOrEqual(9)
    for (const command of rig.transport.sent()) {
      expect(command.length).toBeLessThanOrEqual(
        1 + (command[0] === 'UNLINK' ? 5_000 : command[0] === 'MGET' ? 2_000 : 7),
      )
    }
  })

  it('tells which orders it deleted, so that no copy of them is kept', async () => {
    await rig.store(...old(3), ...young(2))

    await rig.prune({ dryRun: true })
    expect(rig.forgotten).toEqual([])

    await rig.prune()
    expect(rig.forgotten.toSorted((a, b) => a.localeCompare(b))).toEqual(['old0', 'old1', 'old2'])
  })

  it('counts a key once that the scan brings twice', async () => {
    await rig.store(...old(3), ...young(2))
    rig.transport.onRequest = async ([command = ['PING']], carryOut) => {
      const replies = await carryOut()
      if (command[0] !== 'SCAN') return replies
      const keys = ['order:old1', 'order:young1']
      return [[command[1] === '0' ? '9' : '0', command[1] === '0' ? keys : [...keys, ...keys, 'order:old0']]]
    }

    const { report } = await rig.prune()

    expect(report).toMatchObject({ scanned: 3, due: 2, deleted: 2, kept: 1 })
  })

  it('does not count a key that went between the scan and the look', async () => {
    await rig.store(...old(2), ...young(1))
    rig.transport.onRequest = spoil('MGET', async (_, carryOut) => {
      await rig.store(['UNLINK', 'order:old0', 'order:young0'])
      return carryOut()
    })

    const { report } = await rig.prune()

    expect(report).toMatchObject({ scanned: 1, due: 1, deleted: 1, commands: { TYPE: 2 } })
  })

  it('reports as deleted what the server counted', async () => {
    await rig.store(...old(3))
    rig.transport.onRequest = spoil('UNLINK', async (_, carryOut) => {
      await rig.store(['UNLINK', 'order:old0'])
      return carryOut()
    })

    const { report } = await rig.prune()

    expect(report).toMatchObject({ due: 3, deleted: 2 })
  })

  it('says that the count is unknown when a deletion got no answer, and does not send it again', async () => {
    await rig.store(...old(3))
    rig.transport.onRequest = spoil('UNLINK', lostReply)

    const { report, code } = await rig.prune()

    expect(report).toMatchObject({ outcome: 'failed', deleted: 0, due: 3, commands: { UNLINK: 1 } })
    expect(report.because).toMatch(/unknown/)
    expect(code).toBe('REDIS_UNREACHABLE')
    expect(await rig.prune()).toMatchObject({ report: { outcome: 'done', scanned: 0 } })
  })

  it('repeats a look that got no answer, charges it again and says so', async () => {
    await rig.store(...old(3))
    rig.transport.onRequest = spoil('SCAN', lost)

    const { report } = await rig.prune()

    expect(report).toMatchObject({ outcome: 'done', deleted: 3, commands: { SCAN: 2, MGET: 1, UNLINK: 1 } })
    expect(report.because).toMatch(/repeated/)
  })

  it('logs each deletion with id and order time: the first 1 000 of a run at info, the rest at debug', async () => {
    await rig.store(...old(1_003), ['SET', keyOf('2025-11-02T12:00:00+01:00'), 'anything'])

    await rig.prune()

    const deletions = rig.events.filter(({ name }) => name === 'order.deleted')
    expect(deletions.filter(({ level }) => level === 'info')).toHaveLength(1_000)
    expect(deletions.filter(({ level }) => level === 'debug')).toHaveLength(4)
    expect(deletions[0]?.detail).toEqual({ order: 'old0', orderTime: '2025-11-01T12:00:00.000+01:00' })
    expect(deletions.map(({ detail }) => detail)).toContainEqual(
      expect.objectContaining({ orderTime: '2025-11-02T12:00:00.000+01:00' }),
    )
  })

  it('judges as of another time than now', async () => {
    await rig.store(...young(1))

    expect((await rig.prune({ days: 2, asOfMs: Date.parse('2025-12-10T23:59:59+01:00') })).report.kept).toBe(1)
    expect((await rig.prune({ days: 2, asOfMs: Date.parse('2025-12-11T00:00:00+01:00') })).report.keptOpen).toBe(1)
    expect((await rig.prune({ days: 2, asOfMs: Date.parse('2025-12-13T00:00:00+01:00') })).report.deleted).toBe(1)
  })

  it('keeps an order closed a moment ago until nobody can take that back any more', async () => {
    const text = storedText(
      anOrder({ created_at: '2025-12-05T12:00:00+01:00' }),
      aMove('a', 'delivered', { at: '2025-12-08T20:50:00.000+01:00' }),
    )
    await rig.store(['SET', 'order:1', text])

    expect((await rig.prune()).report.keptOpen).toBe(1)
    rig.clock.moveTo('2025-12-08T21:05:00+01:00')
    expect((await rig.prune()).report.deleted).toBe(1)
  })

  it('warns that keys may be counted twice once there are more than it can remember', async () => {
    const key = keyOf('2025-12-08T12:00:00Z').slice(0, -6)
    const most = 200_000
    const page = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => `${key}${String(from + at).padStart(6, '0')}`)
    rig = createSweepRig({
      send: async ([command = ['PING']]) => {
        if (command[1] === '0') return [['1', page(0, most)]]
        return [[command[1] === '1' ? '2' : '0', command[1] === '1' ? page(0, 1_000) : page(most, most + 1)]]
      },
    })

    const { report } = await rig.prune({ dryRun: true })

    expect(report).toMatchObject({ outcome: 'planned', scanned: most + 1, kept: most + 1 })
    expect(report.because).toMatch(/more than 200000/)
  })

  it('stops at the provider’s limit and sends nothing more', async () => {
    await rig.store(...old(3))
    rig.transport.onRequest = spoil('MGET', async () => [failure('REDIS_LIMIT')])

    const { report, code } = await rig.prune()

    expect({ outcome: report.outcome, code }).toEqual({ outcome: 'stopped', code: 'REDIS_LIMIT' })
    expect(rig.transport.sent().map(([name]) => name)).toEqual(['SET', 'SCAN', 'MGET'])
  })
})
