import { describe, expect, it } from 'vitest'
import { createMemoryConnection } from '../../../src/redis/memory.ts'
import { createMeter } from '../../../src/redis/meter.ts'
import { createRedisStatus, type RedisStatusOptions } from '../../../src/redis/status/redis-status.ts'
import type { QueueDepth, QueueDepths, StatusStore, StoreStatus } from '../../../src/redis/status/status.ts'
import { RedisError } from '../../../src/errors.ts'
import { fakeClock } from '../../support/clock.ts'
import { healthy, infoText, lineIn, played, upstash, type Answers } from './rig.ts'

const REFUSED = new RedisError('REDIS_REFUSED', 'It said no.')

const own: Answers = {
  INFO: () => infoText(healthy),
  PING: () => 'PONG',
  DBSIZE: () => 2,
  SLOWLOG: () => [],
  CONFIG: ([, , name]) => [String(name), name === 'save' ? '900 1' : '100'],
  SCAN: () => ['0', ['order:1', 'order:2']],
  MEMORY: () => 100,
}

const provider: Answers = {
  INFO: () => infoText(upstash),
  PING: () => 'PONG',
  SCAN: () => ['0', ['order:1', 'order:2']],
  MEMORY: () => 100,
}

const aQueue: QueueDepth = { name: 'mails', states: { wait: 3 }, verdict: 'ok', cure: null }
const depthsOf = (...queues: readonly QueueDepth[]): QueueDepths => ({ queues, leftOut: 0, isSearchWhole: true })

interface RigOptions extends Partial<Omit<RedisStatusOptions, 'stores' | 'clock'>> {
  readonly store?: Partial<StatusStore>
}

async function first(asked: Promise<readonly StoreStatus[]>): Promise<StoreStatus> {
  const [found] = await asked
  if (found === undefined) throw new Error('There is no status.')
  return found
}

function aRig(answers: Answers, { store = {}, ...options }: RigOptions = {}) {
  const clock = fakeClock('2026-11-21T12:00:00Z')
  const { meter } = played(answers)
  const defects: unknown[] = []
  const status = createRedisStatus({
    stores: [{ name: 'orders', kind: 'tcp', meter, ...store }],
    clock,
    onDefect: (error) => void defects.push(error),
    ...options,
  })
  return {
    clock,
    meter,
    defects,
    look: () => first(status.look()),
    figures: () => first(status.figures()),
    commands: () => meter.cost().commands,
    billed: () => meter.cost().billed,
  }
}

describe('a look at a Redis', () => {
  it('tells everything of a server of one’s own', async () => {
    const { look, commands } = aRig(own, { store: { queues: { prefix: 'bull', read: async () => depthsOf(aQueue) } } })

    const status = await look()

    expect(status).toMatchObject({
      name: 'orders',
      ok: true,
      verdict: 'ok',
      error: null,
      families: { largest: [{ name: 'order', keys: 2, bytes: 200 }], others: 0, isEstimate: false },
      queues: [aQueue],
      areQueuesComplete: true,
    })
    expect(lineIn(status, 'queue mails').value).toBe('wait 3')
    expect(commands()).toEqual({ CONFIG: 2, DBSIZE: 1, INFO: 1, MEMORY: 2, PING: 1, SCAN: 1, SLOWLOG: 1 })
    expect(status.billedCommands).toBe(5)
  })

  it.each([
    ['by its driver', 'upstash'],
    ['by what it tells, though it is spoken to as a server of one’s own', 'tcp'],
  ] as const)('knows a provider %s, and asks it for keys only', async (_, kind) => {
    const { look, commands } = aRig(provider, { store: { kind } })

    const status = await look()

    expect(status).toMatchObject({ ok: true, verdict: 'ok', slowLog: [] })
    expect(status.families?.largest).toEqual([{ name: 'order', keys: 2, bytes: 200 }])
    expect(commands()).toEqual({ INFO: 1, MEMORY: 2, PING: 1, SCAN: 1 })
  })

  it('counts keys once a minute at most, and where that is billed once an hour', async () => {
    for (const [answers, standsMs] of [
      [own, 60_000],
      [provider, 3_600_000],
    ] as const) {
      const { look, clock, commands } = aRig(answers)
      await look()

      clock.advance(standsMs - 1)
      expect((await look()).families?.largest).toHaveLength(1)
      expect(commands()['SCAN']).toBe(1)
      clock.advance(1)
      await look()

      expect(commands()['SCAN']).toBe(2)
    }
  })

  it('says of what the user may not ask which right is missing, and calls nothing of it bad', async () => {
    const { INFO, PING } = own
    const { look } = aRig({ INFO: INFO ?? (() => null), PING: PING ?? (() => null) })

    const status = await look()

    expect(status).toMatchObject({ ok: true, verdict: 'unknown', families: null })
    const unknown = status.lines.filter(({ verdict }) => verdict === 'unknown')
    expect(unknown.map(({ name, cure }) => [name, /the right (\S+)\.$/.exec(cure ?? '')?.[1]])).toEqual([
      ['slow log', '+slowlog|get'],
      ['key families', '+scan'],
    ])
  })

  it('says so where MEMORY alone is refused, but not of a provider that does not offer it', async () => {
    const { look } = aRig({ ...own, MEMORY: () => REFUSED })
    const { look: lookAtProvider } = aRig({ ...provider, MEMORY: () => REFUSED }, { store: { kind: 'upstash' } })

    expect(lineIn(await look(), 'key families').cure).toContain('+memory|usage')
    const status = await lookAtProvider()
    expect([status.verdict, status.families?.largest]).toEqual(['ok', [{ name: 'order', keys: 2, bytes: null }]])
  })

  it.each([
    ['4.0.14', 'bad'],
    ['5.0.14', 'look'],
  ])('of version %s is %s and still tells the rest', async (redis_version, verdict) => {
    const { maxclients: _, ...older } = healthy
    const status = await aRig({ ...own, INFO: () => infoText({ ...older, redis_version }) }).look()

    expect(status.verdict).toBe(verdict)
    expect(status.lines.filter((line) => line.verdict !== 'ok').map(({ name }) => name)).toEqual(['version'])
    expect(lineIn(status, 'clients').value).toBe('5 of 100')
  })

  it('where every command is refused is one line that nobody can judge', async () => {
    const status = await aRig({}).look()

    expect(status.lines.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['INFO', 'unknown'],
      ['key families', 'unknown'],
    ])
    expect([status.ok, status.verdict]).toEqual([true, 'unknown'])
  })

  it('at the embedded store says that it forgets', async () => {
    const clock = fakeClock('2026-11-21T12:00:00Z')
    const meter = createMeter(createMemoryConnection({ clock }).send)
    const { look } = createRedisStatus({
      stores: [{ name: 'orders', kind: 'memory', meter }],
      clock,
      onDefect: () => undefined,
    })

    const [status] = await look()

    expect(status).toMatchObject({ ok: true, verdict: 'look', lines: [{ name: 'server', value: 'embedded' }] })
    expect(meter.cost().commands).toEqual({ INFO: 1, PING: 1 })
  })

  it.each([
    ['still loads', new RedisError('REDIS_UNREACHABLE', 'Redis is not ready to serve PING yet (LOADING).')],
    ['is at its limit', new RedisError('REDIS_LIMIT', 'The limit is reached.')],
  ])('that %s is no answer', async (_, error) => {
    const status = await aRig({ ...own, PING: () => error }).look()

    expect(status).toMatchObject({ ok: false, verdict: 'bad', lines: [], families: null, queues: [] })
    expect(status.error).toEqual({ code: error.code, message: error.message })
    expect(new Set(Object.values(status.figures))).toEqual(new Set([null]))
  })

  it.each([
    [{ leftOut: 12 }, '1 of 13 shown'],
    [{ isSearchWhole: false }, '1 of at least 1 shown; the search ended before the last key'],
  ])('says where it does not show every queue: %j', async (cut, value) => {
    const read = async () => ({ ...depthsOf(aQueue), ...cut })

    const status = await aRig(own, { store: { queues: { prefix: 'bull', read } } }).look()

    expect([status.verdict, status.areQueuesComplete]).toEqual(['unknown', false])
    expect(lineIn(status, 'queues')).toMatchObject({ value, cure: expect.stringContaining('BULLMQ_QUEUES') })
  })

  it('tells what the server said though its keys and queues are not answered for', async () => {
    const slow = new RedisError('REDIS_UNREACHABLE', 'Redis is unreachable: no answer within 10 s.')
    const queues = { prefix: 'bull', read: () => Promise.reject(slow) }

    const status = await aRig({ ...own, MEMORY: () => slow }, { store: { queues } }).look()

    expect(status).toMatchObject({ ok: true, verdict: 'unknown', error: null, areQueuesComplete: false })
    expect(status.figures.version).toBe('7.2.4')
    for (const name of ['key families', 'queues']) {
      expect(lineIn(status, name)).toEqual({ name, value: 'not told', verdict: 'unknown', cure: slow.message })
    }
  })

  it.each([
    ['a provider', provider, true],
    ['a server of one’s own', own, false],
  ])('of %s tells the reader of queues whether commands are billed', async (_, answers, isBilled) => {
    const told: unknown[] = []
    const read: StatusStore['queues'] & object = {
      prefix: 'bull',
      read: async (_send, server) => {
        told.push(server.isBilled)
        return depthsOf()
      },
    }

    await aRig(answers, { store: { queues: read } }).look()

    expect(told).toEqual([isBilled])
  })

  it('names the right that is missing where queues may not be looked for', async () => {
    const queues = { prefix: 'bull', read: () => Promise.reject(REFUSED) }

    expect(lineIn(await aRig(own, { store: { queues } }).look(), 'queues').cure).toContain('+scan')
  })

  it('tells a defect to whoever listens, and no word of it in the status', async () => {
    const { look, defects } = aRig(own, {
      store: { queues: { prefix: 'bull', read: () => Promise.reject(new TypeError('SECRET')) } },
    })

    const status = await look()

    expect(status.error?.code).toBe('UNEXPECTED')
    expect(JSON.stringify(status)).not.toContain('SECRET')
    expect(defects).toEqual([new TypeError('SECRET')])
  })
})

describe('the figures of a Redis', () => {
  it('cost nothing where commands are billed, and show families of keys as a look counted them in the last hour', async () => {
    const read = async () => depthsOf(aQueue)
    const { figures, look, clock, billed } = aRig(provider, { store: { queues: { prefix: 'bull', read } } })

    expect(await figures()).toMatchObject({ ok: true, families: null, queues: [], billedCommands: 0 })
    await look()
    const spent = billed()
    clock.advance(3_599_999)
    expect(await figures()).toMatchObject({ families: { largest: [{ name: 'order' }] }, queues: [aQueue] })
    clock.advance(1)
    expect(await figures()).toMatchObject({ families: null, queues: [] })

    expect(spent).toBe(3)
    expect(billed()).toBe(3)
  })

  it('are asked for once in 15 s, however many want them at once', async () => {
    let reads = 0
    const read = async () => {
      reads += 1
      return depthsOf(aQueue)
    }
    const { figures, look, clock, commands } = aRig(own, { store: { queues: { prefix: 'bull', read } } })

    await Promise.all([...Array.from({ length: 100 }, figures), look()])
    clock.advance(14_999)
    expect((await figures()).queues).toEqual([aQueue])
    expect([commands()['INFO'], reads]).toEqual([1, 1])
    clock.advance(1)
    await figures()

    expect([commands()['INFO'], reads]).toEqual([2, 2])
    expect(commands()['SCAN']).toBe(1)
  })

  it('of a store that hangs are not waited for, hang up nobody else, and are asked for once', async () => {
    const hanging = createMeter(() => new Promise(() => undefined))
    const clock = fakeClock('2026-11-21T12:00:00Z')
    const { figures } = createRedisStatus({
      stores: [
        { name: 'orders', kind: 'tcp', meter: hanging },
        { name: 'bullmq', kind: 'tcp', meter: played(own).meter },
      ],
      clock,
      deadlineMs: 50,
      onDefect: () => undefined,
    })

    for (let time = 0; time < 3; time += 1) {
      const statuses = await figures()
      clock.advance(60_000)

      expect(statuses).toMatchObject([
        { name: 'orders', ok: false, error: { code: 'REDIS_UNREACHABLE' } },
        { name: 'bullmq', ok: true },
      ])
    }
    expect(hanging.cost().requests).toBe(1)
  })

  it('are told though queues are not counted in time', async () => {
    let isHanging = false
    const read = async () => (isHanging ? new Promise<never>(() => undefined) : depthsOf(aQueue))
    const { figures, clock } = aRig(own, { store: { queues: { prefix: 'bull', read } }, deadlineMs: 50 })
    await figures()
    isHanging = true
    clock.advance(20_000)

    const status = await figures()

    expect(status).toMatchObject({ ok: true, verdict: 'unknown', queues: [aQueue] })
    expect(status.figures.version).toBe('7.2.4')
    expect(lineIn(status, 'keys and queues').value).toBe('not counted in time')
  })
})
