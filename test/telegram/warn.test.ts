import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InterruptedError } from '../../src/errors.ts'
import { warningText } from '../../src/telegram/warning-text.ts'
import { ADMIN, OTHER_ADMIN, STRANGER } from '../support/bot-rig.ts'
import { aBudgetReport } from '../support/budget-report.ts'
import { startUsageRig, type UsageRig } from './usage-rig.ts'

let rig: UsageRig

beforeEach(async () => {
  rig = await startUsageRig()
})
afterEach(async () => {
  await rig.stop()
})

const report = aBudgetReport()
const textsTo = (chat: number) => rig.fromBot(chat).map(({ text }) => text)

describe('A warning of the budget', () => {
  it('is told to every admin, once, as plain text, and to nobody else', async () => {
    expect(await rig.bot.warn(80, report)).toBe(2)

    const text = warningText(80, report)
    expect([ADMIN, OTHER_ADMIN, STRANGER].map(textsTo)).toEqual([[text], [text], []])
    expect(rig.fromBot()[0]?.entities).toEqual([])
    expect(rig.errors).toEqual([])
  })

  it('is not tried again for an admin whom Telegram refuses to tell, and reaches the others', async () => {
    rig.telegram.block(ADMIN)

    expect(await rig.bot.warn('limit', report)).toBe(1)

    expect([ADMIN, OTHER_ADMIN].map(textsTo)).toEqual([[], [warningText('limit', report)]])
    expect(rig.errors).toEqual([expect.objectContaining({ error_code: 403 })])
  })

  it('is told nobody where Telegram refuses to tell each', async () => {
    rig.telegram.block(ADMIN)
    rig.telegram.block(OTHER_ADMIN)

    expect(await rig.bot.warn(90, report)).toBe(0)
  })

  it('is not told before Telegram is back, and once then', async () => {
    rig.telegram.downFor(500)
    const begunAfter = rig.telegram.calls.length

    await rig.bot.warn('forecast', report)

    expect(rig.telegram.calls.length).toBeGreaterThan(begunAfter + 2)
    const text = warningText('forecast', report)
    expect([ADMIN, OTHER_ADMIN].map(textsTo)).toEqual([[text], [text]])
  })

  it('is not taken for told when the service stops before', { timeout: 60_000 }, async () => {
    rig.telegram.downFor(60_000)
    const warned = rig.bot.warn(95, report)

    await Promise.all([expect(warned).rejects.toBeInstanceOf(InterruptedError), rig.bot.stop()])

    rig.telegram.calm()
    expect([ADMIN, OTHER_ADMIN].map(textsTo)).toEqual([[], []])
  })
})
