import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import type { Command } from '../../src/redis/transport.ts'
import { anOrder, formerBotOrders, storedText } from '../support/orders.ts'
import { createSweepRig } from '../support/sweep-rig.ts'
import { failure, lost, lostReply, spoil } from '../support/transport.ts'

const LOCK = 'orderly:lock:orders'
const old = storedText(anOrder({ created_at: '2025-11-01T12:00:00+01:00', status: 'delivered' }))
const oldOrders = (count: number) => Array.from({ length: count }, (_, at): Command => ['SET', `order:${at}`, old])
const former = formerBotOrders.map(({ key, value }): Command => ['SET', key, value])

describe('the report of a run', () => {
  it('tells what was asked, as of when, and from when on things are kept', async () => {
    const { prune, store } = createSweepRig({ now: '2025-12-11T23:59:00+01:00' })
    await store(...oldOrders(2))

    const asOfMs = Date.parse('2025-12-08T22:59:00Z')
    const { report, code } = await prune({ trigger: 'catch-up', by: 'Ana', days: 1, asOfMs, attempt: 3 })

    expect(code).toBeNull()
    expect(report).toEqual({
      id: expect.stringMatching(/^[0-9A-Z]{26}$/),
      startedAt: '2025-12-11T23:59:00.000+01:00',
      attempt: 3,
      sweep: 'orders',
      trigger: 'catch-up',
      by: 'Ana',
      dryRun: false,
      asOf: '2025-12-08T23:59:00.000+01:00',
      zone: 'Europe/Berlin',
      days: 1,
      cutoff: '2025-12-07T00:00:00.000+01:00',
      extendedCutoff: '2025-12-06T00:00:00.000+01:00',
      outcome: 'done',
      mode: null,
      summary: null,
      because: null,
      scanned: 2,
      due: 2,
      deleted: 2,
      kept: 0,
      keptOpen: 0,
      unreadable: { count: 0, sample: [] },
      parts: null,
      commands: { SET: 1, SCAN: 1, MGET: 1, UNLINK: 1, XADD: 1, EVAL: 1, GET: 1, DEL: 1 },
      billedCommands: 8,
      requests: 6,
      valueBytes: 2 * old.length,
      durationMs: 0,
    })
  })

  it('takes now, the configured retention and the first attempt where nothing else is asked', async () => {
    const { prune } = createSweepRig({ now: '2025-12-08T21:00:00+01:00' })

    expect((await prune()).report).toMatchObject({
      asOf: '2025-12-08T21:00:00.000+01:00',
      days: 2,
      attempt: 1,
      by: null,
    })
  })

  it('is stored as it is returned, but for the duration', async () => {
    const rig = createSweepRig()
    await rig.store(...former, ['HSET', 'order:hash', 'a', 'b'])
    rig.transport.onRequest = async (_, carryOut) => {
      rig.clock.advance(40)
      return carryOut()
    }

    const { report } = await rig.prune()

    const [stored, ...others] = await rig.history()
    expect(others).toEqual([])
    expect({ ...stored, durationMs: report.durationMs }).toEqual(report)
  })

  it('is stored with the same cost for a run that was stopped', async () => {
    const rig = createSweepRig()
    await rig.store(...former)

    const { report } = await rig.prune({ maxCommands: 7 })

    expect(report.outcome).toBe('stopped')
    expect(await rig.history()).toEqual([report])
  })

  it('is one of the last 20, the newest at the end', async () => {
    const rig = createSweepRig()
    const ids: string[] = []
    for (let run = 0; run < 23; run++) {
      rig.clock.advance(1_000)
      ids.push((await rig.prune()).report.id)
    }

    expect((await rig.history()).map(({ id }) => id)).toEqual(ids.slice(3))
  })

  it('is logged in one line whose level tells how it ended', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(2))

    await rig.prune({ maxCommands: 7 })
    rig.transport.onRequest = spoil('UNLINK', async () => [failure('REDIS_REFUSED')])
    await rig.prune()
    const { report } = await rig.prune()

    const finished = rig.events.filter(({ name }) => name === 'sweep.finished')
    expect(finished.map(({ level, detail }) => ({ level, detail }))).toMatchObject([
      { level: 'warn', detail: { outcome: 'stopped' } },
      { level: 'error', detail: { outcome: 'failed' } },
      { level: 'info', detail: { sweep: 'orders', id: report.id, outcome: 'done', deleted: 2, billedCommands: 8 } },
    ])
  })
})

describe('a request', () => {
  it.each([
    ['days below 0', { days: -1 }],
    ['days above 365', { days: 366 }],
    ['half a day', { days: 1.5 }],
    ['days that are no number', { days: Number.NaN }],
    ['a cap of nothing', { maxCommands: 0 }],
    ['half a command', { maxCommands: 8.5 }],
    ['a cap that is no number', { maxCommands: Number.NaN }],
  ])('with %s is refused before anything is sent', async (_, request) => {
    const { prune, transport } = createSweepRig()

    await expect(prune(request)).rejects.toThrow(InputError)
    expect(transport.sent()).toEqual([])
  })

  it.each([0, 365])('for %i days is taken', async (days) => {
    expect((await createSweepRig().prune({ days })).report).toMatchObject({ days, outcome: 'done' })
  })
})

describe('the lock of a sweep', () => {
  it('keeps a second run out, which says who is at work, deletes nothing and leaves no trace', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    let second: Awaited<ReturnType<typeof rig.prune>> | undefined
    rig.transport.onRequest = spoil('MGET', async (_, carryOut) => {
      second = await rig.prune({ trigger: 'cli' })
      return carryOut()
    })

    const first = await rig.prune({ trigger: 'command', by: 'Ana' })

    expect(first.report).toMatchObject({ outcome: 'done', deleted: 3 })
    expect(second?.code).toBe('LOCKED')
    expect(second?.report).toMatchObject({ outcome: 'skipped', scanned: 0, deleted: 0, billedCommands: 2 })
    expect(second?.report.because).toContain('command by Ana, started 2025-12-08T21:00:00.000+01:00')
    expect(await rig.history()).toHaveLength(1)
  })

  it('does not keep a dry run out', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3), ['SET', LOCK, 'token somebody else', 'EX', 120])

    expect((await rig.prune({ dryRun: true })).report).toMatchObject({ outcome: 'planned', due: 3 })
  })

  it('is given back at the end, however the run ended', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))

    for (const command of ['SCAN', 'MGET', 'UNLINK', 'none']) {
      rig.transport.onRequest = spoil(command, async () => [failure('REDIS_REFUSED')])
      await rig.prune()
      expect(await rig.store(['EXISTS', LOCK])).toEqual([0])
    }
  })

  it('stays with somebody else who has it by now', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = spoil('UNLINK', async (_, carryOut) => {
      await rig.store(['SET', LOCK, 'token somebody else'])
      return carryOut()
    })

    await rig.prune()

    expect(await rig.store(['GET', LOCK])).toEqual(['token somebody else'])
  })

  it('is free again 2 minutes after a crash', async () => {
    const rig = createSweepRig()
    rig.transport.onRequest = spoil('XADD', lost)
    await rig.prune()

    expect(await rig.store(['PTTL', LOCK])).toEqual([120_000])
    expect((await rig.prune()).report.outcome).toBe('skipped')
    rig.clock.advance(120_000)
    expect((await rig.prune()).report.outcome).toBe('done')
  })

  it('is renewed once in each full minute, for 1 command each', async () => {
    const rig = createSweepRig()
    const renewals = async (requests: number, everyMs: number) => {
      const { report } = await rig.run({
        run: async ({ send }) => {
          for (let request = 0; request < requests; request++) {
            rig.clock.advance(everyMs)
            await send([['DBSIZE']])
          }
        },
      })
      expect(report.outcome).toBe('done')
      return report.commands['EXPIRE'] ?? 0
    }

    expect(await renewals(1, 59_999)).toBe(0)
    expect(await renewals(1, 60_000)).toBe(1)
    expect(await renewals(119, 1_000)).toBe(1)
    expect(await renewals(600, 1_000)).toBe(10)
    expect(await renewals(10, 90_000)).toBe(10)
  })

  it('ends the run when it was lost: nothing more is deleted, and it is not given back', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = spoil('MGET', async (_, carryOut) => {
      rig.clock.advance(61_000)
      await rig.store(['UNLINK', LOCK])
      return carryOut()
    })

    const { report, code } = await rig.prune()

    expect({ outcome: report.outcome, code, deleted: report.deleted }).toEqual({
      outcome: 'stopped',
      code: 'LEASE_LOST',
      deleted: 0,
    })
    expect(report.commands).not.toHaveProperty('EVAL')
    expect(await rig.keys()).toContain('order:0')
  })

  it.each([
    [100_000, 'done'],
    [100_001, 'stopped'],
  ])('ends the run with less than 20 s left by its own clock: after %i ms it is %s', async (ms, outcome) => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = spoil('MGET', async (_, carryOut) => {
      rig.clock.advance(ms)
      return carryOut()
    })

    expect((await rig.prune()).report.outcome).toBe(outcome)
  })

  it('is renewed at the next request when a renewal got no answer', async () => {
    const rig = createSweepRig()
    rig.transport.onRequest = spoil('EXPIRE', lost)

    const { report } = await rig.run({
      run: async ({ send }) => {
        rig.clock.advance(60_000)
        await send([['DBSIZE']])
        await send([['DBSIZE']])
        await send([['DBSIZE']])
      },
    })

    expect(report).toMatchObject({ outcome: 'done', commands: { EXPIRE: 2, DBSIZE: 3 } })
  })

  it('that was taken although the answer was lost is our own', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = spoil('SET', lostReply)

    expect((await rig.prune()).report).toMatchObject({ outcome: 'done', deleted: 3, commands: { SET: 2, GET: 2 } })
  })
})

describe('a cap on Redis commands', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'of %i is never exceeded, and the lock is always given back',
    async (cap) => {
      const rig = createSweepRig()
      await rig.store(...oldOrders(1_200))

      const { report, code } = await rig.prune({ maxCommands: cap })

      expect(report.billedCommands).toBeLessThanOrEqual(cap)
      expect(rig.meter.cost().billed).toBe(report.billedCommands)
      expect(report.outcome).toBe(code === null ? 'done' : 'stopped')
      expect(code ?? 'CAP_REACHED').toBe('CAP_REACHED')
      expect(await rig.store(['EXISTS', LOCK])).toEqual([0])
    },
  )

  it.each([1, 2, 3, 4])('of %i is never exceeded by a dry run either', async (cap) => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(1_200))

    expect((await rig.prune({ maxCommands: cap, dryRun: true })).report.billedCommands).toBeLessThanOrEqual(cap)
  })

  it('of 8 is enough for the 225 orders of the former bot', async () => {
    const rig = createSweepRig()
    await rig.store(...former)

    expect((await rig.prune({ maxCommands: 8 })).report).toMatchObject({ outcome: 'done', deleted: 143 })
  })

  it.each([
    [8, 400],
    [8, 900],
    [8, 1_900],
    [9, 2_500],
    [10, 2_500],
    [12, 2_500],
  ])('of %i lets repeated runs finish a store of %i old orders in the end', async (maxCommands, count) => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(count))

    let report = (await rig.prune({ maxCommands })).report
    for (let run = 2; run <= 20 && report.outcome === 'stopped'; run++) {
      report = (await rig.prune({ maxCommands })).report
      expect(report.billedCommands).toBeLessThanOrEqual(maxCommands)
    }

    expect(report.outcome).toBe('done')
    expect((await rig.keys()).filter((key) => key.startsWith('order:'))).toEqual([])
  })

  it('of 8 lets a run delete what it could judge, though keys of another type would cost more', async () => {
    const rig = createSweepRig()
    const hashes = Array.from({ length: 10 }, (_, at): Command => ['HSET', `order:hash${at}`, 'a', 'b'])
    await rig.store(...hashes, ...oldOrders(100))

    expect((await rig.prune({ maxCommands: 8 })).report.deleted).toBe(100)
  })

  it('that is too low to delete anything is said to be so', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))

    const { report } = await rig.prune({ maxCommands: 7 })

    expect(report).toMatchObject({ outcome: 'stopped', deleted: 0 })
    expect(report.because).toMatch(/with a higher cap if this run deleted nothing/)
  })

  it('too small for lock, record and release sends nothing at all', async () => {
    const rig = createSweepRig()

    expect((await rig.prune({ maxCommands: 5 })).report.billedCommands).toBe(0)
    expect(rig.transport.sent()).toEqual([])
  })
})

describe('an interruption', () => {
  it('before the start sends nothing', async () => {
    const rig = createSweepRig()

    const { report, code } = await rig.prune({ signal: AbortSignal.abort() })

    expect({ outcome: report.outcome, code }).toEqual({ outcome: 'stopped', code: 'INTERRUPTED' })
    expect(rig.transport.sent()).toEqual([])
  })

  it.each(['SCAN', 'MGET'])('during %s ends the run before the next request, in order', async (command) => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    const controller = new AbortController()
    rig.transport.onRequest = spoil(command, async (_, carryOut) => {
      controller.abort()
      return carryOut()
    })

    const { report, code } = await rig.prune({ signal: controller.signal })

    expect({ outcome: report.outcome, code, deleted: report.deleted }).toEqual({
      outcome: 'stopped',
      code: 'INTERRUPTED',
      deleted: 0,
    })
    expect(report.commands).not.toHaveProperty('UNLINK')
    expect(await rig.history()).toEqual([report])
    expect(await rig.store(['EXISTS', LOCK])).toEqual([0])
  })

  it('after the last request changes nothing', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    const controller = new AbortController()
    rig.transport.onRequest = spoil('UNLINK', async (_, carryOut) => {
      controller.abort()
      return carryOut()
    })

    expect((await rig.prune({ signal: controller.signal })).report).toMatchObject({ outcome: 'done', deleted: 3 })
  })
})

describe('a store in trouble', () => {
  it('that is full is swept without a lock, makes room and is told so', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = spoil('SET', async () => [failure('REDIS_FULL')])

    const { report } = await rig.prune()

    expect(report).toMatchObject({ outcome: 'done', deleted: 3 })
    expect(report.because).toMatch(/no room for the lock/)
    expect(report.commands).not.toHaveProperty('EVAL')
    expect(await rig.history()).toEqual([report])
  })

  it('that is still full afterwards has been swept all the same', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = async (commands, carryOut) =>
      commands.some(([name]) => name === 'SET' || name === 'XADD') ? [failure('REDIS_FULL')] : carryOut()

    const { report } = await rig.prune()

    expect(report).toMatchObject({ outcome: 'done', deleted: 3 })
    expect(report.because).toMatch(/not in the history/)
  })

  it.each([
    ['SET', ['SET']],
    ['SCAN', ['SET', 'SCAN']],
    ['MGET', ['SET', 'SCAN', 'MGET']],
    ['UNLINK', ['SET', 'SCAN', 'MGET', 'UNLINK']],
  ])('whose provider’s limit is met at %s is asked nothing more', async (name, sent) => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = spoil(name, async () => [failure('REDIS_LIMIT')])

    const { report, code } = await rig.prune()

    expect(rig.transport.sent().map(([word]) => word)).toEqual(sent)
    expect({ outcome: report.outcome, code }).toEqual({ outcome: 'stopped', code: 'REDIS_LIMIT' })
  })

  it('whose provider’s limit is met when all is deleted is asked nothing more, and the run is done', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = spoil('XADD', async () => [failure('REDIS_LIMIT')])

    const { report } = await rig.prune()

    expect(report).toMatchObject({ outcome: 'done', deleted: 3, because: expect.stringMatching(/not in the history/) })
    expect(rig.transport.sent().at(-1)?.[0]).toBe('XADD')
  })

  it.each([
    ['SET', 'REDIS_REFUSED'],
    ['SCAN', 'REDIS_REFUSED'],
    ['MGET', 'REDIS_REFUSED'],
    ['UNLINK', 'REDIS_UNREACHABLE'],
  ] as const)('makes a run failed whose %s is answered with %s', async (name, code) => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(3))
    rig.transport.onRequest = spoil(name, async () => [failure(code)])

    expect(await rig.prune()).toMatchObject({ report: { outcome: 'failed' }, code })
    expect(rig.defects).toEqual([])
    expect((await rig.prune()).report).toMatchObject({ outcome: 'done', deleted: 3 })
  })
})

describe('a defect', () => {
  it('makes the run failed, is told with all it is, and its text is not in the report', async () => {
    const rig = createSweepRig()
    const defect = new TypeError('cannot read Finn Wagner of undefined')

    const { report, code } = await rig.run({
      run: async () => {
        throw defect
      },
    })

    expect({ outcome: report.outcome, code }).toEqual({ outcome: 'failed', code: 'UNEXPECTED' })
    expect(rig.defects).toEqual([defect])
    expect(JSON.stringify(report)).not.toContain('Finn')
    expect(await rig.history('made-up')).toEqual([report])
    expect(await rig.store(['EXISTS', 'orderly:lock:made-up'])).toEqual([0])
  })

  it('leaves what the run had counted until then in the report', async () => {
    const rig = createSweepRig()

    const { report } = await rig.run({
      run: async ({ findings, onProgress }) => {
        findings.due = 3
        findings.deleted = 2
        onProgress()
        throw new Error('late')
      },
    })

    expect(report).toMatchObject({ outcome: 'failed', due: 3, deleted: 2 })
  })
})

describe('progress', () => {
  it('is told after each page', async () => {
    const rig = createSweepRig()
    await rig.store(...oldOrders(2_100))
    const seen: number[] = []

    await rig.prune({ onProgress: ({ due }) => void seen.push(due) })

    expect(seen).toHaveLength(3)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  })
})
