import { afterEach, describe, expect, it } from 'vitest'
import type { SweepReport } from '../../src/sweeps/report.ts'
import type { SweepRequest } from '../../src/sweeps/sweep.ts'
import { ADMIN, STRANGER } from '../support/bot-rig.ts'
import { startInngestRig, type InngestRig, type InngestRigOptions } from './inngest-rig.ts'
import { anAlertPlan, anAlertReport, anErrorReport, aPart } from './reports.ts'

let rig: InngestRig

const start = async (options: Partial<InngestRigOptions> = {}) => {
  rig = await startInngestRig({ run: undefined, audit: { alerts, errors }, ...options })
}

/** What a run comes to where 42 alerts are due, of organizations with retentions of their own. */
const alerts = ({ dryRun, days = 90 }: SweepRequest): SweepReport =>
  dryRun ? anAlertPlan({ days }) : anAlertReport({ days })

const errors = ({ dryRun, days = 90 }: SweepRequest): SweepReport =>
  dryRun ? anErrorReport({ days, dryRun, outcome: 'planned', summary: null, deleted: 0 }) : anErrorReport({ days })

afterEach(async () => {
  await rig.stop()
})

const deleteButton = '🗑 Delete them'

const asked = () => rig.askedOfAudit.map(({ sweep, days, dryRun }) => ({ sweep, days, dryRun }))

describe('/cleanup alerts and /cleanup errors', () => {
  it.each([
    ['/cleanup alerts', /^✅ Alert cleanup complete!/, { sweep: 'alerts', days: undefined, dryRun: false }],
    ['/cleanup ALERTS 7', /^🔍 An alert cleanup would/, { sweep: 'alerts', days: 7, dryRun: true }],
    ['/cleanup errors', /^✅ Error cleanup complete!/, { sweep: 'errors', days: undefined, dryRun: false }],
    ['/cleanup  errors 365 ', /^🔍 An error cleanup that/, { sweep: 'errors', days: 365, dryRun: true }],
    ['/cleanup alerts preview', /^🔍 An alert cleanup would/, { sweep: 'alerts', days: undefined, dryRun: true }],
    ['/cleanup errors 30 Preview', /^🔍 An error cleanup that/, { sweep: 'errors', days: 30, dryRun: true }],
  ] as const)('takes %j, in the name of who asked', async (text, like, expected) => {
    await start()

    await rig.answerTo(text, { like })

    expect(asked()).toEqual([expected])
    expect(rig.askedOfAudit).toMatchObject([{ trigger: 'command', by: String(ADMIN) }])
    expect([...rig.asked, ...rig.askedOfOrders]).toEqual([])
  })

  it('answer what they do not know with their usage, and run nothing', async () => {
    await start()

    for (const words of ['alerts 0', 'errors 0', 'alerts 366', 'alert', 'alerts errors', 'alerts acme', 'errors7']) {
      const { text } = await rig.answerTo(`/cleanup ${words}`)
      expect(text).toContain('or: /cleanup alerts [days] [preview]\nor: /cleanup errors [days] [preview]')
      expect(text).toMatch(/^For alerts it is a whole number from 1 to 365, .* With days it asks first\.$/m)
    }

    expect([...asked(), ...rig.askedOfOrders]).toEqual([])
  })

  it('name the variable that is missing where there is no audit database', async () => {
    rig = await startInngestRig({ run: undefined })

    expect((await rig.answerTo('/cleanup alerts')).text).toBe(
      'There are no alerts to clean up: AUDIT_DATABASE_URL is not set.',
    )
    expect((await rig.answerTo('/cleanup errors 7 preview')).text).toBe(
      'There are no errors to clean up: AUDIT_DATABASE_URL is not set.',
    )
    expect((await rig.answerTo('/help')).text).not.toContain('alerts')
  })

  it('are refused to strangers', async () => {
    await start()

    const { text } = await rig.answerTo('/cleanup alerts', { by: STRANGER, chat: STRANGER })

    expect(text).toContain('This is for admins only.')
    expect(asked()).toEqual([])
  })

  it.each([
    ['alerts 1', 'alerts', 1],
    ['errors 7', 'errors', 7],
  ])(
    'with days, as in %j, delete nothing before the button under what would go is pressed',
    async (words, sweep, days) => {
      await start()
      const shown = await rig.answerTo(`/cleanup ${words}`, { like: /^🔍 An/ })
      expect(asked()).toEqual([{ sweep, days, dryRun: true }])

      await rig.telegram.press(ADMIN, ADMIN, shown.id, deleteButton)

      await rig.telegram.waitFor(() => rig.askedOfAudit.length === 2, 5_000)
      expect(asked()[1]).toEqual({ sweep, days, dryRun: false })
    },
  )

  it('with days show no button where nothing would go', async () => {
    const nothing = anAlertPlan({ days: 1, due: 0, parts: [aPart({ name: 'acme', scanned: 60, kept: 60 })] })
    await start({ audit: { alerts: () => nothing, errors } })

    const { buttons } = await rig.answerTo('/cleanup alerts 1', { like: /^🔍 An/ })

    expect(buttons).toEqual([])
    expect(asked()).toEqual([{ sweep: 'alerts', days: 1, dryRun: true }])
  })

  it.each([
    ['alerts', undefined],
    ['alerts 30', 30],
    ['errors', 90],
    ['errors 30', 30],
  ])(
    'with the button of the preview of %s delete what was shown: each alert by its own retention unless days were asked for',
    async (words, days) => {
      await start()
      const shown = await rig.answerTo(`/cleanup ${words} preview`, { like: /^🔍 An/ })

      await rig.telegram.press(ADMIN, ADMIN, shown.id, deleteButton)

      await rig.telegram.waitFor(() => rig.askedOfAudit.length === 2, 5_000)
      expect(asked()[1]).toEqual({ sweep: words.split(' ')[0], days, dryRun: false })
    },
  )
})

describe('What the bot tells of organizations', () => {
  it('is each of which something went or is to be said', async () => {
    const parts = [
      aPart({ name: 'acme', due: 40, deleted: 40 }),
      aPart({ name: 'initech', due: 2, because: 'Somebody else holds a lock.' }),
      aPart({ name: 'umbrella', kept: 30 }),
    ]
    await start({ audit: { alerts: () => anAlertReport({ parts }), errors } })

    const { text } = await rig.answerTo('/cleanup alerts', { like: /complete!/ })

    expect(text.split('\n').slice(2)).toEqual([
      '📊 Deleted 42 alerts of 2 organizations (3 looked at).',
      '📅 Cutoff of 90 days: 2025-09-09 21:00',
      '• acme: 40',
      '• initech: 0 (Somebody else holds a lock.)',
      '⏱ Took 0.4 s',
    ])
  })

  it('is of a thousand the most telling, and a count of the rest', async () => {
    const many = Array.from({ length: 1_000 }, (_, at) => aPart({ name: `org-${at}`, due: at, deleted: at }))
    const parts = [...many, aPart({ name: 'broken', because: 'Its retention is no number.' })]
    await start({ audit: { alerts: () => anAlertReport({ parts }), errors } })

    const lines = (await rig.answerTo('/cleanup alerts', { like: /complete!/ })).text.split('\n')

    const told = lines.filter((line) => line.startsWith('•'))
    expect(told.slice(0, 3)).toEqual(['• broken: 0 (Its retention is no number.)', '• org-999: 999', '• org-998: 998'])
    expect(told).toHaveLength(21)
    expect(told.at(-1)).toBe(`• and 980 more: ${(980 * 981) / 2} alerts`)
  })

  it('is why a run failed, also in /status, with the organizations that have something to say', async () => {
    const parts = Array.from({ length: 8 }, (_, at) => aPart({ name: `org-${at}`, because: 'It is locked.' }))
    const lastRun = anAlertReport({ outcome: 'failed', because: '8 organizations failed.', parts: [...parts, aPart()] })
    await start({ alertFacts: { lastRun, nextSlotMs: Date.parse('2025-12-09T06:00:00+01:00') } })

    expect((await rig.answerTo('/status')).text.split('\n').slice(-8)).toEqual([
      'Last alert cleanup: 2025-12-08 21:00, failed, 42 deleted: 8 organizations failed.',
      ...Array.from({ length: 5 }, (_, at) => `• org-${at}: It is locked.`),
      '• and 3 more',
      'Next alert cleanup: 2025-12-09 06:00',
    ])
  })

  it('is a message to the admins where something failed or stopped, and nothing after a quiet night', async () => {
    await start()

    rig.bot.announce(anAlertReport())
    rig.bot.announce(anErrorReport())
    rig.bot.announce(anAlertReport({ outcome: 'failed', because: '1 organization (acme) failed.' }))
    rig.bot.announce(anErrorReport({ outcome: 'stopped', because: 'The database does not answer.' }))

    await rig.telegram.waitFor(() => rig.fromBot().length >= 2, 5_000)
    const texts = rig.fromBot().map(({ text }) => text.split('\n')[0])
    expect(new Set(texts)).toEqual(
      new Set([
        '⚠️ The alert cleanup failed: 1 organization (acme) failed.',
        '⚠️ The error cleanup stopped early: The database does not answer.',
      ]),
    )
    expect(texts).toHaveLength(2)
  })

  it('is how to ask for it in the admins’ /help', async () => {
    await start()

    const { text } = await rig.answerTo('/help')

    expect(text).toContain('/cleanup alerts [days] [preview] deletes resolved alerts')
    expect(text).toContain('/cleanup errors [days] [preview] deletes old errors')
    expect(text).not.toContain('Inngest')
  })
})
