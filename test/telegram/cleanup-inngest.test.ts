import { afterEach, describe, expect, it } from 'vitest'
import { createDeferred } from '../../src/sandbox/bot-api/deferred.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'
import type { SweepRequest } from '../../src/sweeps/sweep.ts'
import { ADMIN, OFFICE, OTHER_ADMIN, STRANGER } from '../support/bot-rig.ts'
import { startInngestRig, type InngestRig, type InngestRigOptions } from './inngest-rig.ts'
import { anInngestPlan, anInngestReport, aPart, aReport } from './reports.ts'

let rig: InngestRig

const start = async (options: Partial<InngestRigOptions> = {}) => {
  rig = await startInngestRig({ run, ...options })
}

/** What a run over a database with 110 runs that are due comes to. */
const run = ({ dryRun, days = 30 }: SweepRequest): SweepReport =>
  dryRun ? anInngestPlan({ days }) : anInngestReport({ days })

afterEach(async () => {
  await rig.stop()
})

const COMPLETE = /^✅ Inngest cleanup complete!/
const WOULD = /^🔍 An Inngest cleanup that keeps/

const deleteButton = '🗑 Delete them'

describe('/cleanup inngest', () => {
  it('deletes with the configured retention, in the name of who asked, and ends as its report', async () => {
    await start()

    const { text } = await rig.answerTo('/cleanup inngest', { like: COMPLETE })

    expect(text).toContain('📊 Deleted 107 completed runs and 3 abandoned incomplete runs.')
    expect(rig.fromBot()).toHaveLength(1)
    expect(rig.asked).toEqual([
      {
        trigger: 'command',
        by: String(ADMIN),
        dryRun: false,
        signal: expect.any(AbortSignal),
        onProgress: expect.any(Function),
      },
    ])
    expect(rig.askedOfOrders).toEqual([])
  })

  it.each([
    ['/cleanup inngest 7', { days: 7, dryRun: false }],
    ['/cleanup INNGEST 365', { days: 365, dryRun: false }],
    ['/cleanup  inngest   001 ', { days: 1, dryRun: false }],
    ['/cleanup Inngest Preview', { dryRun: true }],
    ['/cleanup inngest 90 PREVIEW', { days: 90, dryRun: true }],
    ['/cleanup\ninngest\n90', { days: 90, dryRun: false }],
  ])('takes %j', async (text, expected) => {
    await start()

    await rig.answerTo(text, { like: new RegExp(`${COMPLETE.source}|${WOULD.source}`) })

    const [{ days, dryRun } = {}, ...more] = rig.asked
    expect({ ...(days !== undefined && { days }), dryRun }).toEqual(expected)
    expect(more).toEqual([])
  })

  it('answers what it does not know with both forms of its usage, and runs nothing', async () => {
    await start()
    const bad = [
      'inngest 0',
      'inngest 00',
      'inngest 366',
      'inngest 1000',
      'inngest -1',
      'inngest 1.5',
      'inngest 7 8',
      'inngest7',
      'inngestpreview',
      'inngest preview 7',
      'inngest preview preview',
      'inngest inngest',
      '7 inngest',
      'preview inngest',
      '7 inngest preview',
      'orders 7',
      'inngests',
      'inngest;7',
    ]

    for (const words of bad) {
      const { text } = await rig.answerTo(`/cleanup ${words}`)
      expect([words, ...text.split('\n').slice(0, 2)]).toEqual([
        words,
        'Usage: /cleanup [days] [preview]',
        'or: /cleanup inngest [days] [preview]',
      ])
      expect(text).toContain('For Inngest it is a whole number from 1 to 365')
    }

    expect([...rig.asked, ...rig.askedOfOrders]).toEqual([])
  })

  it('names the variable that is missing where no Inngest is configured, and orders are cleaned up all the same', async () => {
    await start({ run: undefined })

    expect((await rig.answerTo('/cleanup inngest 7 preview')).text).toBe(
      'There is no Inngest to clean up: INNGEST_DATABASE_URL is not set.',
    )
    await rig.answerTo('/cleanup 2', { like: /^✅ Redis cleanup complete!/ })
  })

  it('is refused to strangers with their own id', async () => {
    await start()

    const { text } = await rig.answerTo('/cleanup inngest', { by: STRANGER, chat: STRANGER })

    expect(text).toBe('This is for admins only. Your id is 44: an admin can add it to ADMIN_IDS.')
    expect(rig.asked).toEqual([])
  })

  it('is left to orders without the word', async () => {
    await start()

    await rig.answerTo('/cleanup 2', { like: /^✅ Redis cleanup complete!/ })

    expect(rig.asked).toEqual([])
    expect(rig.askedOfOrders).toHaveLength(1)
  })

  it('tells how far it is while it works', async () => {
    const end = createDeferred<undefined>()
    await start({
      run: async (request) => {
        rig.clock.advance(3_000)
        request.onProgress?.({ ...FINDINGS, due: 80, deleted: 40 })
        await end.promise
        return run(request)
      },
    })

    const shown = await rig.answerTo('/cleanup inngest', { like: /40/ })
    end.resolve(undefined)

    expect(shown.text).toBe('🧹 Cleaning up Inngest: 80 due, 40 deleted so far…')
    await rig.telegram.waitFor(
      () => rig.fromBot().find(({ id, text }) => id === shown.id && COMPLETE.test(text)),
      5_000,
    )
  })

  it('shows what the configuration keeps from being deleted as what it is', async () => {
    const because = 'INNGEST_DRY_RUN is true: nothing was deleted.'
    await start({ run: () => anInngestPlan({ because }) })

    const { text, buttons } = await rig.answerTo('/cleanup inngest', { like: WOULD })

    expect(text).toContain(because)
    expect(text).not.toMatch(/complete!|Deleted/)
    expect(buttons).toEqual([])
    expect(rig.asked.map(({ dryRun }) => dryRun)).toEqual([false])
  })

  it('says who started the one that is running', async () => {
    const because = 'Another run holds the lock: command by 22, started 2025-12-08T20:59:58.000+01:00.'
    await start({ run: () => anInngestReport({ outcome: 'skipped', because }) })

    expect((await rig.answerTo('/cleanup inngest', { like: /^⏳/ })).text).toBe(
      '⏳ An Inngest cleanup is already running, started by 22 (command) at 2025-12-08 20:59.',
    )
  })
})

const FINDINGS = {
  due: 0,
  deleted: 0,
  kept: 0,
  keptOpen: 0,
  unreadable: 0,
  unreadableSample: [],
  valueBytes: 0,
  mode: null,
  summary: null,
  parts: null,
  remarks: [],
}

describe('/cleanup inngest preview', () => {
  it('deletes nothing, and its button deletes once with the retention that was shown', async () => {
    await start()
    const shown = await rig.answerTo('/cleanup inngest preview', { like: WOULD })
    expect(shown.text).toMatch(/^🔍 An Inngest cleanup that keeps 30 days would delete 110 runs\.\n/)
    expect(rig.fromBot()).toHaveLength(1)
    expect(rig.asked.map(({ days, dryRun }) => [days, dryRun])).toEqual([[undefined, true]])

    expect(await rig.telegram.press(ADMIN, ADMIN, shown.id, deleteButton)).toEqual({})

    await rig.telegram.waitFor(() => rig.fromBot().find(({ text }) => COMPLETE.test(text)), 5_000)
    await rig.telegram.waitFor(() => rig.fromBot().find(({ id }) => id === shown.id)?.buttons.length === 0, 5_000)
    expect(rig.asked.slice(1).map(({ days, dryRun }) => [days, dryRun])).toEqual([[30, false]])
    expect(rig.askedOfOrders).toEqual([])
  })

  it('offers no button where nothing is due, and one where only rows beside runs are', async () => {
    const nothing = anInngestPlan({ due: 0, parts: [aPart({ name: 'events', kept: 3 })] })
    const reports = [nothing, { ...nothing, parts: [aPart({ name: 'events', due: 3 })] }]
    await start({ run: () => reports.shift() ?? nothing })

    const none = await rig.answerTo('/cleanup inngest preview', { like: WOULD })
    const one = await rig.answerTo('/cleanup inngest preview', { like: WOULD })

    expect(none.buttons).toEqual([])
    expect(one.buttons.flat().map(({ text }) => text)).toEqual([deleteButton])
  })

  it.each([
    ['the configuration would not let it delete', { because: 'INNGEST_DRY_RUN is true: nothing was deleted.' }],
    ['the count is not complete', { outcome: 'failed', because: 'The database does not answer.' }],
  ] as const)('offers no button where %s', async (_, given) => {
    await start({ run: () => anInngestPlan(given) })

    expect((await rig.answerTo('/cleanup inngest preview', { like: /Took/ })).buttons).toEqual([])
  })

  it('does nothing when another person taps, or after 5 minutes', async () => {
    await start()
    rig.telegram.say(ADMIN, OFFICE, '/cleanup inngest preview')
    const { id } = await rig.telegram.waitFor(() => rig.fromBot(OFFICE).find(({ text }) => WOULD.test(text)), 5_000)

    expect(await rig.telegram.press(STRANGER, OFFICE, id, deleteButton)).toEqual({
      toast: 'Only the admin who asked may confirm this.',
      alert: true,
    })
    rig.clock.advance(5 * 60_000 + 1_000)
    expect(await rig.telegram.press(ADMIN, OFFICE, id, deleteButton)).toEqual({
      toast: 'This button has expired. Send /cleanup inngest again.',
      alert: true,
    })
    expect(rig.asked).toHaveLength(1)
  })

  it('does nothing for a forged button of another admin, of days that it does not take, or without an end', async () => {
    await start()
    const until = Math.floor(rig.clock() / 1_000) + 100
    const forged = [
      `ci:7:${OTHER_ADMIN}:${until}`,
      `ci:0:${ADMIN}:${until}`,
      `ci:366:${ADMIN}:${until}`,
      `ci:7:${ADMIN}:`,
    ]

    await Promise.all(forged.map((data) => rig.telegram.deliver(aPress(data))))
    const answers = await rig.telegram.waitFor(() => {
      const texts = answersToPresses()
      return texts.length === forged.length && texts
    }, 5_000)

    expect(answers.filter((text) => text.startsWith('Only the admin'))).toHaveLength(1)
    expect(answers.filter((text) => text.startsWith('This button is not in use'))).toHaveLength(3)
    expect([...rig.asked, ...rig.askedOfOrders]).toEqual([])
  })

  it('has another button than the preview of orders, which stays what it was', async () => {
    await start()
    const value = JSON.stringify({ status: 'delivered', created_at: '2025-11-01T12:00:00+01:00' })
    await rig.app.meter.open('orders').send([['SET', 'order:old', value]])
    const { id, buttons } = await rig.answerTo('/cleanup 2 preview')
    expect(buttons.flat()[0]?.callbackData).toMatch(/^c:2:11:\d+$/)

    await rig.telegram.press(ADMIN, ADMIN, id, deleteButton)
    await rig.telegram.waitFor(() => rig.fromBot().find(({ text }) => text.includes('Deleted: 1 orders')), 5_000)

    expect(rig.askedOfOrders.map(({ days, dryRun }) => [days, dryRun])).toEqual([
      [2, true],
      [2, false],
    ])
    expect(rig.asked).toEqual([])
  })
})

describe('What else the bot tells of the Inngest sweep', () => {
  it('is a report to the admins, each sweep in its own words', async () => {
    await start()

    rig.bot.announce(anInngestReport())
    rig.bot.announce(aReport())

    await rig.telegram.waitFor(() => rig.fromBot().length === 2, 5_000)
    const texts = rig.fromBot().map(({ text }) => text)
    expect(texts.filter((text) => COMPLETE.test(text))).toHaveLength(1)
    expect(texts.filter((text) => text.includes('📊 Deleted: 143 orders'))).toHaveLength(1)
  })

  it('is its last run and its next one in /status', async () => {
    await start({ facts: { lastRun: anInngestReport(), nextSlotMs: Date.parse('2025-12-09T02:00:00+01:00') } })

    expect((await rig.answerTo('/status')).text.split('\n').slice(-2)).toEqual([
      'Last Inngest cleanup: 2025-12-08 21:00, done, 110 deleted',
      'Next Inngest cleanup: 2025-12-09 02:00',
    ])
  })

  it('is what was due in /status where the last run was a dry one', async () => {
    await start({ facts: { lastRun: anInngestPlan(), nextSlotMs: undefined } })

    expect((await rig.answerTo('/status')).text).toContain('Last Inngest cleanup: 2025-12-08 21:00, planned, 110 due\n')
  })

  it('is how to ask for it in the admins’ /help', async () => {
    await start()

    expect((await rig.answerTo('/help')).text).toContain(
      '/cleanup inngest [days] [preview] deletes old runs of Inngest',
    )
    expect((await rig.answerTo('/help', { by: STRANGER, chat: STRANGER })).text).not.toContain('Inngest')
  })

  it('is nothing where none is configured', async () => {
    await start({ run: undefined })

    expect((await rig.answerTo('/help')).text).not.toContain('Inngest')
    expect((await rig.answerTo('/status')).text).not.toContain('Inngest')
  })
})

const answersToPresses = () =>
  rig.telegram.calls
    .filter(({ method, status }) => method === 'answerCallbackQuery' && status !== undefined)
    .map(({ params }) => String(params['text']))

let presses = 0

const aPress = (data: string) => ({
  callback_query: {
    id: `forged-${(presses += 1)}`,
    from: { id: ADMIN, is_bot: false, first_name: 'Anna' },
    chat_instance: '1',
    message: {
      message_id: 1,
      date: 1,
      chat: { id: ADMIN, type: 'private' as const, first_name: 'Anna' },
      text: 'x',
    },
    data,
  },
})
