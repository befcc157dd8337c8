import { describe, expect, it } from 'vitest'
import { DatabaseError } from '../../src/errors.ts'
import { gate, until } from '../http/rig.ts'
import { serve, startEngineRig, type Work } from './rig.ts'
import { postStep, runToEnd } from './stand-in.ts'

const event = { name: 'sweep/requested', data: { name: 'orders', dry_run: false } }

/** The engine on a sweep over orders that waits at a gate, and is waited for only briefly. */
async function aSlowSweep(atTheGate: Work = () => undefined) {
  const { opened, open } = gate()
  const rig = await startEngineRig({
    waitMs: 20,
    work: {
      orders: async (job) => {
        await opened
        await atTheGate(job)
        job.findings.deleted = 7
      },
    },
  })
  return { rig, open, url: await serve(rig) }
}

describe('a run that takes longer than a step waits', () => {
  it('is one run, which further steps wait for until it has ended', async () => {
    const { rig, open, url } = await aSlowSweep()

    const ending = runToEnd(url, 'sweep-requested', event)
    await until(() => rig.jobs.length === 1)
    setTimeout(open, 150)
    const { result, requests, failures } = await ending

    expect(result).toMatchObject({ outcome: 'done', deleted: 7 })
    expect(requests).toBeGreaterThan(3)
    expect(failures).toEqual([])
    expect(rig.jobs).toHaveLength(1)
  })

  it('is found again by a repeated request whose answer was lost on the way', async () => {
    const { rig, open, url } = await aSlowSweep()
    const ask = (attempt: number) => postStep(url, 'sweep-requested', { event, attempt, runId: 'the-same' })

    await ask(0)
    await ask(1)
    open()
    await until(() => rig.log().includes('"event":"sweep.finished"'))
    const last = await ask(2)

    expect(last.body).toMatchObject([{ data: { outcome: 'done', deleted: 7 } }])
    expect(rig.jobs).toHaveLength(1)
  })

  it('is kept apart from another run of the same function', async () => {
    const { rig, open, url } = await aSlowSweep()
    const ask = (runId: string) => postStep(url, 'sweep-requested', { event, runId })

    await ask('one')
    const other = await ask('two')
    open()

    // The lock keeps it out, which is no failure.
    expect(other).toMatchObject({ status: 206, body: [{ data: 'locked' }] })
    expect(rig.jobs).toHaveLength(1)
  })

  it('waits at another instance for the lock, which is no failure, and does there what is left', async () => {
    const rig = await startEngineRig({
      waitMs: 20,
      work: {
        orders: async (job) => {
          if (rig.jobs.length === 1) await opened
          job.findings.deleted = rig.jobs.length
        },
      },
    })
    const { opened, open } = gate()
    const urls = [await serve(rig), await serve({ ...rig, engine: await rig.another() })]

    const ending = runToEnd(urls, 'sweep-requested', event)
    await until(() => rig.log().includes('"because":"Another run holds the lock'))
    open()
    const { result, sleeps, failures } = await ending

    expect(result).toMatchObject({ outcome: 'done', deleted: 2 })
    expect(failures).toEqual([])
    expect(sleeps.length).toBeGreaterThan(0)
    expect(new Set(sleeps)).toEqual(new Set(['1m']))
    expect(rig.announced).toEqual([])
  })

  it('is given up after an hour behind a foreign lock, and people are told once', { timeout: 60_000 }, async () => {
    const { rig, url } = await aSlowSweep()
    await rig.connection.send([['SET', 'orderly:lock:orders', 'somebody', 'EX', 120]])

    const { result, sleeps, failures } = await runToEnd(url, 'sweep-requested', event)

    expect(result).toBeUndefined()
    expect(sleeps).toHaveLength(60)
    expect(failures.map(({ headers }) => headers.get('x-inngest-no-retry'))).toEqual(['true', 'true'])
    expect(rig.announced).toMatchObject([{ outcome: 'skipped' }])
    expect(rig.jobs).toEqual([])
  })

  it('and then fails is begun anew by the next attempt', async () => {
    let failures = 2
    const { rig, open, url } = await aSlowSweep(() => {
      if (failures-- > 0) throw new DatabaseError('DATABASE_BUSY', 'The rows are locked.')
    })
    open()

    const ended = await runToEnd(url, 'sweep-requested', event)

    expect(ended.result).toMatchObject({ outcome: 'done' })
    expect(ended.failures).toHaveLength(2)
    expect(rig.jobs).toHaveLength(3)
  })

  it('ends with the service, and nobody is told of it', async () => {
    const { rig, open, url } = await aSlowSweep(({ goOn }) => goOn())
    const ask = (attempt: number) => postStep(url, 'sweep-requested', { event, attempt, runId: 'the-same' })
    await ask(0)

    await rig.engine.stop()
    open()
    await until(() => rig.log().includes('"event":"sweep.finished"'))
    const last = await ask(1)

    expect(last.body).toMatchObject([{ error: { message: 'Interrupted. Run it again to go on.' } }])
    expect(last.headers.get('x-inngest-no-retry')).toBe('false')
    expect(rig.announced).toEqual([])
  })
})
