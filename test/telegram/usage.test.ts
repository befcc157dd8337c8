import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BudgetReport } from '../../src/redis/budget/budget-report.ts'
import { captionOf, messageOf } from '../../src/telegram/usage-text.ts'
import { ADMIN, GROUP, OTHER_ADMIN, RIDER, STRANGER } from '../support/bot-rig.ts'
import { aBudgetReport } from '../support/budget-report.ts'
import { png } from '../support/images.ts'
import type { ChatMessage } from '../support/telegram.ts'
import { startUsageRig, withMoreUsed, type UsageRig } from './usage-rig.ts'

let rig: UsageRig

beforeEach(async () => {
  rig = await startUsageRig()
})
afterEach(async () => {
  await rig.stop()
})

const first = aBudgetReport()
const later = withMoreUsed(371_004)

const press = (message: ChatMessage, by = ADMIN) => rig.telegram.press(by, message.chatId, message.id, 'Refresh')
const messageNow = ({ chatId, id }: ChatMessage) => rig.fromBot(chatId).find((message) => message.id === id)
const untilEdited = async (message: ChatMessage) => {
  const edited = await rig.telegram.waitFor(() => {
    const now = messageNow(message)
    return now !== undefined && now.edits > message.edits && now
  }, 10_000)
  await rig.untilAnswered()
  return edited
}

/** Lets all that was asked for before come to its end: the figures are shown to one after another. */
const settle = () => rig.usage({ by: OTHER_ADMIN })

const photos = (method = 'sendPhoto') => rig.calls(method).map(({ params }) => params['photo'])
const isUpload = (photo: unknown) => String(photo).startsWith('attach://')

describe('/usage', () => {
  it('shows an admin a picture, below it the same as text with the first sentence in bold, and a button', async () => {
    const message = await rig.usage()

    expect(message.photo?.bytes.equals(png(1_280, 720))).toBe(true)
    expect(message).toMatchObject(captionOf(first))
    expect(message.text.split('\n')[0]).toBe('359\u202f613 of 500\u202f000 commands used (72\u202f%)')
    expect(message.buttons.map((row) => row.map(({ text }) => text))).toEqual([['Refresh']])
    expect(rig.errors).toEqual([])
  })

  it('sends the picture that Telegram has, with its own caption, to whoever asks within 10 minutes', async () => {
    const { photo } = await rig.usage()
    rig.now.report = later
    rig.clock.advance(10 * 60_000 - 1)

    const again = await rig.usage()
    const elsewhere = await rig.usage({ by: OTHER_ADMIN })
    const group = await rig.usage({ chat: GROUP })

    for (const { text, photo: same } of [again, elsewhere, group]) {
      expect([text, same?.fileId]).toEqual([captionOf(first).text, photo?.fileId])
    }
    expect(photos().map(isUpload)).toEqual([true, false, false, false])
    expect(rig.asked).toEqual({ reports: 1, pictures: 1 })
  })

  it('makes a new picture after 10 minutes', async () => {
    await rig.usage()
    rig.now.report = later
    rig.clock.advance(10 * 60_000)

    expect((await rig.usage()).text).toBe(captionOf(later).text)
    expect(photos().map(isUpload)).toEqual([true, true])
  })

  it.each<[string, Partial<BudgetReport>]>([
    ['saver mode begins', { mode: 'saver' }],
    ['the provider refuses commands', { isLimitReached: true }],
    ['a new month begins', { month: { ...first.month, name: '2025-12' } }],
  ])('makes a new picture at once when %s', async (_what, change) => {
    await rig.usage()
    rig.now.report = aBudgetReport({ used: 371_004, ...change })

    expect((await rig.usage()).text).toBe(captionOf(rig.now.report).text)
    expect(rig.asked).toEqual({ reports: 2, pictures: 2 })
  })

  it('makes and uploads one picture for a hundred calls in a row, each of which is answered', async () => {
    for (let count = 0; count < 100; count += 1) rig.telegram.say(ADMIN, ADMIN, '/usage')
    await rig.telegram.waitFor(() => rig.fromBot().length === 100, 30_000)

    expect(rig.asked).toEqual({ reports: 1, pictures: 1 })
    expect(photos().filter(isUpload)).toHaveLength(1)
  })

  it('uploads the picture anew when Telegram does not know its own copy any more', async () => {
    await rig.usage()
    rig.telegram.failNext('sendPhoto', { status: 400, description: 'Bad Request: wrong file identifier' })

    const again = await rig.usage()
    const third = await rig.usage()

    expect(photos().map(isUpload)).toEqual([true, false, true, false])
    expect([again.text, third.photo?.fileId]).toEqual([captionOf(first).text, again.photo?.fileId])
    expect(rig.asked.pictures).toBe(1)
    expect(rig.errors).toEqual([])
  })

  it.each<[string, () => void]>([
    ['none can be made', () => void (rig.now.paint = async () => undefined)],
    ['the painter fails', () => void (rig.now.paint = () => Promise.reject(new Error('no memory')))],
    [
      'Telegram refuses it',
      () =>
        rig.telegram.failNext('sendPhoto', {
          status: 400,
          description: 'Bad Request: not enough rights to send photos',
        }),
    ],
  ])('says the same without a picture when %s', async (_what, begin) => {
    begin()
    const message = await rig.usage()

    expect(message.photo).toBeUndefined()
    expect(message).toMatchObject(messageOf(first))
    expect(message.buttons.flat().map(({ text }) => text)).toEqual(['Refresh'])
  })

  it('tries to make a picture again after 15 seconds', async () => {
    rig.now.paint = async () => undefined
    await rig.usage()
    rig.now.paint = async () => png(1_280, 720)
    rig.clock.advance(14_999)
    expect((await rig.usage()).photo).toBeUndefined()

    rig.clock.advance(1)

    expect((await rig.usage()).photo).toBeDefined()
  })

  it('refuses a stranger, who gets their own id, and asks for nothing', async () => {
    for (const chat of [STRANGER, GROUP]) {
      expect((await rig.usage({ by: STRANGER, chat })).text).toContain(`Your id is ${STRANGER}`)
    }
    expect(rig.asked).toEqual({ reports: 0, pictures: 0 })
  })

  it('says so when the figures cannot be read, and works again as soon as they can', async () => {
    rig.now.read = () => Promise.reject(new Error('unreadable'))
    const { text } = await rig.usage()
    expect(text).toContain('Telegram did not answer, so the figures may be missing. Send /usage again.')
    await rig.telegram.waitFor(() => rig.errors.length === 1, 10_000)

    rig.now.read = async () => undefined

    expect((await rig.usage()).photo).toBeDefined()
  })

  it('makes nobody wait for a chat that Telegram makes wait', { timeout: 60_000 }, async () => {
    const message = await rig.usage()
    rig.telegram.failNext('sendPhoto', 'hang')
    rig.telegram.say(ADMIN, GROUP, '/usage')
    await rig.telegram.waitFor(() => photos().length === 2, 10_000)

    rig.telegram.say(OTHER_ADMIN, OTHER_ADMIN, '/usage')
    await press(message)

    // The call that hangs ends after 15 s.
    const isShown = () => rig.fromBot(OTHER_ADMIN).length === 1 && rig.calls('editMessageMedia').length === 1
    await rig.telegram.waitFor(isShown, 10_000)
    expect(rig.fromBot(OTHER_ADMIN)).toMatchObject([captionOf(first)])
  })

  it('says so when Telegram broke the upload off, and does not take that for a refusal', async () => {
    rig.telegram.failNext('sendPhoto', 'reset')

    expect((await rig.usage()).text).toContain(
      'Telegram did not answer, so the figures may be missing. Send /usage again.',
    )
    expect((await rig.usage()).photo).toBeDefined()
    expect(rig.asked.pictures).toBe(1)
  })
})

describe('The button below the figures', () => {
  it('brings picture and caption up to date in place, after the press was answered, once', async () => {
    const message = await rig.usage()
    rig.now.report = later
    rig.now.paint = async () => png(640, 360)
    rig.clock.advance(15_000)

    expect(await press(message)).toEqual({ toast: 'Refreshing…', alert: false })
    const edited = await untilEdited(message)

    expect(edited.photo?.bytes.equals(png(640, 360))).toBe(true)
    expect(edited).toMatchObject({ ...captionOf(later), buttons: message.buttons })
    const methods = rig.calls('answerCallbackQuery', 'editMessageMedia').map(({ method }) => method)
    expect(methods).toEqual(['answerCallbackQuery', 'editMessageMedia'])
    expect(rig.fromBot()).toHaveLength(1)
  })

  it('uploads what nobody has seen yet, and the command then sends Telegram’s copy of it', async () => {
    const message = await rig.usage()
    rig.now.report = later
    rig.clock.advance(15_000)
    await press(message)
    const { photo } = await untilEdited(message)

    const next = await rig.usage()

    expect([next.text, next.photo?.fileId]).toEqual([captionOf(later).text, photo?.fileId])
    expect(photos().map(isUpload)).toEqual([true, false])
  })

  it('makes no further picture within 15 seconds, and that nothing changes then is no failure', async () => {
    const message = await rig.usage()
    rig.now.report = later
    rig.clock.advance(14_999)

    for (let count = 0; count < 5; count += 1) {
      expect(await press(message)).toEqual({ toast: 'These figures are less than 15 seconds old.', alert: false })
    }
    await settle()

    expect(rig.asked).toEqual({ reports: 1, pictures: 1 })
    expect(messageNow(message)).toEqual(message)
    const refusals = rig.calls('editMessageMedia').map(({ description }) => description)
    expect(refusals).toEqual(Array.from({ length: 5 }, () => expect.stringContaining('message is not modified')))
    expect(rig.errors).toEqual([])
  })

  it('makes one picture for two admins who press at once', async () => {
    const messages = [await rig.usage(), await rig.usage({ by: OTHER_ADMIN })]
    rig.now.report = later
    rig.clock.advance(15_000)

    await Promise.all(messages.map((message) => press(message, message.chatId)))
    const edited = await Promise.all(messages.map(untilEdited))

    expect(edited.map(({ text }) => text)).toEqual([captionOf(later).text, captionOf(later).text])
    expect(edited[0]?.photo?.fileId).toBe(edited[1]?.photo?.fileId)
    expect(rig.asked).toEqual({ reports: 2, pictures: 2 })
  })

  it('refuses whoever is no admin, in a group too, and changes nothing', async () => {
    const message = await rig.usage({ chat: GROUP })
    rig.now.report = later
    rig.clock.advance(15_000)

    expect(await press(message, RIDER)).toEqual({ toast: expect.stringContaining(`Your id is ${RIDER}`), alert: true })
    await settle()

    expect(messageNow(message)).toEqual(message)
    expect(rig.calls('editMessageMedia')).toEqual([])
  })

  it('turns a text into a picture as soon as there is one', async () => {
    rig.now.paint = async () => undefined
    const message = await rig.usage()
    rig.now.paint = async () => png(1_280, 720)
    rig.clock.advance(15_000)

    await press(message)

    const edited = await untilEdited(message)
    expect(edited.photo).toBeDefined()
    expect(edited).toMatchObject(captionOf(first))
  })

  it('edits a text in place while there is no picture', async () => {
    rig.now.paint = async () => undefined
    const message = await rig.usage()
    rig.now.report = later
    rig.clock.advance(15_000)

    await press(message)

    expect(await untilEdited(message)).toMatchObject(messageOf(later))
    await press(message)
    await settle()
    expect(rig.errors).toEqual([])
  })

  it('leaves an older picture with its own figures where there is no new one, and says the new ones below', async () => {
    const message = await rig.usage()
    rig.now.report = later
    rig.now.paint = async () => undefined
    rig.clock.advance(15_000)

    await press(message)

    await rig.telegram.waitFor(() => rig.fromBot().length === 2, 10_000)
    expect(rig.fromBot()).toEqual([message, expect.objectContaining(messageOf(later))])
  })

  it('says the figures anew where the message cannot be edited', async () => {
    rig.now.paint = async () => undefined
    const message = await rig.usage()
    rig.telegram.failNext('editMessageText', { status: 400, description: 'Bad Request: message to edit not found' })

    await press(message)

    await rig.telegram.waitFor(() => rig.fromBot().length === 2, 10_000)
    expect(rig.errors).toEqual([])
  })
})

describe('When the service stops', () => {
  it('what hangs is broken off, and what was not begun is left out', { timeout: 60_000 }, async () => {
    rig.telegram.failNext('sendPhoto', 'hang')
    for (let count = 0; count < 20; count += 1) rig.telegram.say(ADMIN, ADMIN, '/usage')
    await rig.telegram.waitFor(() => rig.calls('sendPhoto').length === 1 && rig.telegram.pendingUpdates === 0, 20_000)

    await rig.bot.stop()

    expect(rig.calls('sendPhoto')).toHaveLength(1)
  })
})

describe('/status', () => {
  it('says how much of the month’s commands is used', async () => {
    rig.telegram.say(ADMIN, ADMIN, '/status')
    const { text } = await rig.telegram.waitFor(() => rig.fromBot().at(-1), 10_000)

    expect(text).toContain('Redis commands since start: 321; 359\u202f613 of 500\u202f000 this month (72\u202f%)')
  })
})
