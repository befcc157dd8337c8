import { describe, expect, it } from 'vitest'
import type { SweepRun } from '../../src/sweeps/sweep.ts'
import { serve, startEngineRig } from './rig.ts'
import { runToEnd } from './stand-in.ts'

const timer = { name: 'inngest/scheduled.timer', data: { cron: 'TZ=Europe/Berlin 59 23 * * *' } }

/** A schedule whose looks come to what is given, one after another. */
async function aSchedule(...looks: readonly (Partial<SweepRun> | undefined)[]) {
  const asked: { attempt: number }[] = []
  const rig = await startEngineRig({
    schedules: [
      {
        name: 'orders',
        cron: { pattern: '59 23 * * *', zone: 'Europe/Berlin' },
        runDue: async ({ attempt }) => {
          const look = looks[asked.push({ attempt }) - 1]
          if (look === undefined) return undefined
          const { report } = await orders({ trigger: 'schedule', dryRun: false })
          return { code: null, ...look, report: { ...report, deleted: 5, ...look.report } }
        },
      },
    ],
  })
  const orders = rig.orders
  const url = await serve(rig)
  return { asked, announced: rig.announced, ended: await runToEnd(url, 'orders-sweep', timer) }
}

describe('a schedule that the engine keeps', () => {
  it('is content with a day that is no slot', async () => {
    const { ended, asked } = await aSchedule(undefined)

    expect(ended).toMatchObject({ result: { outcome: 'not-due', deleted: 0 }, failures: [] })
    expect(asked).toEqual([{ attempt: 1 }])
  })

  it('runs the slot that is due', async () => {
    const { ended } = await aSchedule({})

    expect(ended).toMatchObject({ result: { outcome: 'done', deleted: 5 }, failures: [] })
  })

  it('is content where another instance has completed the slot', async () => {
    const { ended } = await aSchedule({ code: 'ALREADY_DONE' })

    expect(ended.failures).toEqual([])
  })

  it('is woken again after a failure, of which nobody is told as long as it is', async () => {
    const failure = { code: 'REDIS_UNREACHABLE' }
    const { ended, asked, announced } = await aSchedule(failure, failure, {})

    expect(ended).toMatchObject({ result: { outcome: 'done' } })
    expect(asked).toEqual([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }])
    expect(announced).toEqual([])
  })

  it.each([
    [['REDIS_UNREACHABLE', 'REDIS_UNREACHABLE', 'REDIS_UNREACHABLE', 'REDIS_FULL'], 4],
    [['LOCKED', 'LOCKED', 'REDIS_FULL', 'REDIS_FULL', 'REDIS_FULL', 'REDIS_FULL'], 6],
    [['INTERRUPTED', 'REDIS_REFUSED'], 2],
  ])('tells people once of a slot that came to %j and is not repeated any more', async (codes, looks) => {
    const { ended, asked, announced } = await aSchedule(...codes.map((code) => ({ code })))

    expect(ended.result).toBeUndefined()
    expect(asked).toHaveLength(looks)
    expect(announced).toHaveLength(1)
  })
})
