import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, openPage, type WatchedPage } from '../support/browser.ts'
import { openChatPage } from '../support/chat-page.ts'
import { chromiumPath } from '../support/chromium.ts'
import { fitting, hostileIntake, hostileRows, outOfPlaceIn, seenOf } from '../support/hostile.ts'
import {
  anOrderOfNow,
  handIn,
  intakeEnv,
  startService,
  waitFor,
  type ServiceProcess,
} from '../support/service-process.ts'

const ORDERED = { name: 'שלום עליכם', phone: '+49 851 214602', address: 'Bahnhofstraße 17' }

const log = (page: Page) => page.getByRole('log')

const PATIENCE_MS = 10_000

/** Cards of the orders that the tests handed in; those of the story have other names. */
const cards = (page: Page) =>
  log(page)
    .getByRole('article')
    .filter({ hasText: /hostile-\d/ })

interface Place {
  readonly left: number
  readonly right: number
}

const boxesOf = (locator: Locator) =>
  locator.evaluateAll((elements) =>
    elements.map((element) => {
      const { top, bottom, left, right } = element.getBoundingClientRect()
      return { top, bottom, left, right, isOverflowing: element.scrollWidth > element.clientWidth }
    }),
  )

/** How wide the page's content is, and how much of it is seen. */
const widthOf = (page: Page) =>
  page.locator('body').evaluate((body) => {
    const { scrollWidth, clientWidth } = body.ownerDocument.documentElement
    return [scrollWidth, clientWidth]
  })

const TEXT_NODES = 4

/** Where each word within an element stands, in the order of the words. */
const placesOf = (locator: Locator, words: readonly string[]): Promise<readonly (Place | undefined)[]> =>
  locator.evaluate(
    (element, { wanted, kind }) =>
      wanted.map((word) => {
        const texts = element.ownerDocument.createTreeWalker(element, kind)
        for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
          const at = text.nodeValue?.indexOf(word) ?? -1
          if (at === -1) continue
          const range = element.ownerDocument.createRange()
          range.setStart(text, at)
          range.setEnd(text, at + word.length)
          const { left, right } = range.getBoundingClientRect()
          return { left, right }
        }
        return undefined
      }),
    { wanted: words, kind: TEXT_NODES },
  )

describe.skipIf(chromiumPath === undefined)('The chat page of hostile orders', { timeout: 60_000 }, () => {
  let browser: Browser
  let service: ServiceProcess
  let opened: WatchedPage

  beforeAll(async () => {
    browser = await openBrowser()
    service = startService(intakeEnv)
    const url = await service.url
    for (const [at, [, text]] of hostileRows.entries()) {
      const order = { ...anOrderOfNow(), ...hostileIntake(text, `hostile-${at} ${fitting(text, 100)}`), source: 'shop' }
      await handIn(service, order)
    }
    await handIn(service, { ...anOrderOfNow('ordered'), customer: ORDERED })
    const told = await openChatPage(url)
    const group = told.chatId('Dispatch')
    await waitFor(() => told.messages(group).some(({ text }) => text.includes('test ordered')), 30_000)
    told.close()

    opened = await openPage(browser, `${url}/`)
    const { page } = opened
    await page.getByText('connected', { exact: true }).waitFor()
    await page
      .getByRole('list', { name: 'Chats' })
      .getByRole('button', { name: /^Dispatch group/ })
      .click()
    await log(page).getByText('test ordered: new').waitFor()
  }, 60_000)
  afterAll(() => browser.close())

  it('runs no script of theirs, makes no element of their text, and its policy has nothing to forbid', async () => {
    const { page, complaints } = opened

    expect(await cards(page).count()).toBe(hostileRows.length)
    expect(await page.evaluate(() => 'owned' in globalThis)).toBe(false)
    expect(await page.title()).toContain('Orderly')
    expect(await log(page).locator('img, svg, script, iframe, b, strong.x, form, style').count()).toBe(0)
    expect(await log(page).locator('a').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('shows what they hold as the text that it is', async () => {
    const texts = await cards(opened.page).allTextContents()

    for (const [at, [, text]] of hostileRows.entries()) {
      const shown = texts.find((one) => one.includes(`hostile-${at} `) || one.includes(`hostile-${at}:`)) ?? ''
      expect([at, shown === '']).toEqual([at, false])
      expect(outOfPlaceIn(shown)).toEqual([])
      expect(shown.replaceAll(/[\u2060\u2068\u2069]/g, '')).toContain(seenOf(text, 60))
    }
  })

  it('keeps its layout: nothing is wider than its place, and no card covers another', async () => {
    const { page } = opened
    const [around] = await boxesOf(log(page))
    const bubbles = await boxesOf(log(page).getByRole('article'))

    expect(await widthOf(page)).toEqual([1_360, 1_360])
    expect(bubbles.length).toBeGreaterThan(hostileRows.length)
    expect(bubbles.filter(({ isOverflowing }) => isOverflowing)).toEqual([])
    const { left = 0, right = 0 } = around ?? {}
    expect(bubbles.filter((one) => one.left < left || one.right > right)).toEqual([])
    const covering = bubbles.filter(({ top }, at) => top < (bubbles[at - 1]?.bottom ?? -Infinity) - 1)
    expect(covering).toEqual([])
  })

  it('writes what stands beside right-to-left text in its own order', async () => {
    const card = log(opened.page).getByRole('article').filter({ hasText: 'test ordered: new' })

    const [sign, name, phone] = await placesOf(card, ['👤', ORDERED.name, ORDERED.phone])

    expect(sign?.right).toBeLessThanOrEqual((name?.left ?? 0) + 1)
    expect(name?.right).toBeLessThanOrEqual((phone?.left ?? 0) + 1)
  })

  it('shows what a person of the chat writes, and the parameters of each call, as text too', async () => {
    const { page, complaints } = opened
    const field = page.getByRole('textbox', { name: 'Message' })
    for (const [what, text] of hostileRows.filter(([, one]) => one.length < 200)) {
      await field.fill(text)
      await field.press('Enter')
      await expect.poll(() => field.inputValue(), { message: what, timeout: PATIENCE_MS }).toBe('')
    }
    const rows = page.getByRole('group', { name: 'Traffic' }).locator('summary')
    for (const at of [-1, -2, -3]) await rows.nth(at).click()

    await log(page).getByText('<script>globalThis.owned = true</script>', { exact: true }).last().waitFor()
    expect(await page.evaluate(() => 'owned' in globalThis)).toBe(false)
    expect(await log(page).locator('img, svg, script, iframe, b, form, style').count()).toBe(0)
    expect(await widthOf(page)).toEqual([1_360, 1_360])
    expect(complaints).toEqual([])
  })
})
