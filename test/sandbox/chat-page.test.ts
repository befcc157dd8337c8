import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectNoViolations, openBrowser, openPage, type WatchedPage } from '../support/browser.ts'
import { chromiumPath } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { intakeEnv, handIn, anOrderOfNow, startService, type ServiceProcess } from '../support/service-process.ts'

const actAs = (page: Page, name: string) => page.getByRole('radio', { name: new RegExp(`^${name} `) }).check()

const openChat = (page: Page, title: string) =>
  page
    .getByRole('list', { name: 'Chats' })
    .getByRole('button', { name: new RegExp(`^${title}`) })
    .click()

const say = async (page: Page, text: string) => {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.getByRole('textbox', { name: 'Message' }).press('Enter')
}

const log = (page: Page) => page.getByRole('log')
const traffic = (page: Page) => page.getByRole('group', { name: 'Traffic' })
const toast = (page: Page, text: string | RegExp) => page.locator('#toast').getByText(text)
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** Orders that were let in so far: the page numbers them. */
let orders = 0

/** Presses "New order" and returns the text by which its card is known. */
async function pressNewOrder(page: Page): Promise<string> {
  await press(page, 'New order')
  orders += 1
  return `New order ${orders}`
}

/** The bubble that holds a text, and the buttons below it. */
const cardOf = (page: Page, text: string) => log(page).locator(':scope > *', { hasText: text }).last()

describe.skipIf(chromiumPath === undefined)('The chat page', { timeout: 60_000 }, () => {
  let browser: Browser
  let service: ServiceProcess

  beforeAll(async () => {
    browser = await openBrowser()
    service = startService(intakeEnv)
    await service.url
  }, 60_000)
  afterAll(() => browser.close())

  /** Does something on a page of its own, which must not complain in its console. */
  const onPage = async (work: (opened: WatchedPage) => Promise<void>, options = {}, url?: string) => {
    const opened = await openPage(browser, `${url ?? (await service.url)}/`, options)
    await opened.page.getByText('connected', { exact: true }).waitFor()
    await work(opened)
    expect(opened.complaints).toEqual([])
    await opened.page.context().close()
  }

  it('leads through five steps: a new order, delivered and undone, a preview, a cleanup, and a stranger refused', () =>
    onPage(async ({ page }) => {
      const order = await pressNewOrder(page)
      await log(page).getByText(`${order}: new`).waitFor()
      await traffic(page).getByText('/intake/orders').waitFor()

      await actAs(page, 'Ravi')
      await openChat(page, 'Dispatch group')
      await cardOf(page, order)
        .getByRole('button', { name: /Delivered/ })
        .click()
      await log(page).getByText(`${order}: delivered`).waitFor()
      await cardOf(page, order)
        .getByText(/edited/)
        .waitFor()
      expect(await cardOf(page, order).textContent()).toContain('delivered by Ravi')
      expect(await toast(page, /./).textContent()).toMatch(/delivered/i)
      await cardOf(page, order).getByRole('button', { name: /Undo/ }).click()
      await log(page).getByText(`${order}: new`).waitFor()

      await actAs(page, 'Asha')
      await openChat(page, 'Orderly')
      await say(page, '/cleanup 2 preview')
      await log(page).getByText(/143/).first().waitFor()
      await say(page, '/cleanup 2')
      await log(page).getByText('Deleted: 143 orders').waitFor()

      await actAs(page, 'Sam')
      await say(page, '/cleanup 2')
      await log(page)
        .getByText(/5100000005/)
        .waitFor()
      expect(await log(page).textContent()).not.toContain('Deleted')
      await expect.poll(() => page.locator('#steps .done').count()).toBe(5)
      await page.reload()
      await expect.poll(() => page.locator('#steps .done').count()).toBe(5)
    }))

  it('takes a double click for one press, so that Delivered is not undone by its second half', () =>
    onPage(async ({ page }) => {
      const order = await pressNewOrder(page)
      await openChat(page, 'Dispatch group')
      await cardOf(page, order)
        .getByRole('button', { name: /Delivered/ })
        .dblclick({ delay: 60 })

      await cardOf(page, order).getByRole('button', { name: /Undo/ }).waitFor()
      await page.getByRole('button', { name: 'New order', exact: true }).dblclick()
      orders += 1
      await log(page).getByText(`New order ${orders}: new`).waitFor()
      await openChat(page, 'Orderly')
      await say(page, '/orders')
      await log(page).getByText(`New order ${orders}`).first().waitFor()
      expect(
        await log(page)
          .getByText(`New order ${orders + 1}`)
          .count(),
      ).toBe(0)
      await openChat(page, 'Dispatch group')
      expect(await log(page).getByText(`${order}: delivered`).count()).toBe(1)
    }))

  it('shows each person their own chats only', () =>
    onPage(async ({ page }) => {
      const titles = () => page.locator('#chats .chat-name').allTextContents()

      const seen: Record<string, readonly string[]> = {}
      for (const name of ['Asha', 'Ravi', 'Kofi', 'Sam']) {
        await actAs(page, name)
        seen[name] = await titles()
      }

      expect(seen).toEqual({
        Asha: ['Dispatch group', 'Vendor: Kofi Kitchen', 'Orderly'],
        Ravi: ['Dispatch group', 'Orderly'],
        Kofi: ['Vendor: Kofi Kitchen', 'Orderly'],
        Sam: ['Orderly'],
      })
    }))

  it('offers a person who never pressed Start nothing else, and unblocks a bot that was blocked', () =>
    onPage(async ({ page }) => {
      await actAs(page, 'Lena')
      await openChat(page, 'Orderly')
      expect(await page.getByRole('textbox', { name: 'Message' }).isVisible()).toBe(false)
      const focused = () => page.evaluate<string>('document.activeElement.id')
      await page.getByRole('button', { name: 'Start', exact: true }).press('Enter')
      await log(page).getByText('Your id is 5100000003').waitFor()
      await expect.poll(focused).toBe('field')

      await page.getByRole('button', { name: 'Block the bot' }).press('Enter')
      await expect.poll(focused).toBe('unblock')
      await page.keyboard.press('Enter')
      await expect.poll(focused).toBe('field')
      await say(page, '/help')
      await log(page).getByText('what this bot is').waitFor()
    }))

  it('offers each person their own commands after a slash, by keyboard alone', () =>
    onPage(async ({ page }) => {
      const options = page.getByRole('listbox', { name: 'Commands' }).getByRole('option')
      const field = page.getByRole('textbox', { name: 'Message' })
      await actAs(page, 'Sam')
      await field.fill('/')
      await expect.poll(() => options.count()).toBe(2)

      await actAs(page, 'Asha')
      await openChat(page, 'Orderly')
      await field.focus()
      await page.keyboard.type('/st')
      await expect
        .poll(() => options.allTextContents())
        .toEqual([expect.stringContaining('/start'), expect.stringContaining('/status')])
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      expect(await field.inputValue()).toBe('/status ')
      await page.keyboard.press('Enter')

      await log(page)
        .getByText(/embedded|memory/i)
        .first()
        .waitFor()
    }))

  it('shows a 403 in the traffic when the bot was removed from the group', () =>
    onPage(async ({ page }) => {
      await openChat(page, 'Dispatch group')
      await press(page, 'Remove the bot')
      await page.getByRole('button', { name: 'Add the bot' }).waitFor()
      await pressNewOrder(page)

      const refused = traffic(page).getByRole('listitem').filter({ hasText: 'bot was kicked from the group chat' })
      await refused.waitFor()
      expect(await refused.textContent()).toContain('403')
      await refused.click()
      await refused.getByText('"chat_id"').waitFor()
      await press(page, 'Add the bot')
      await page.getByRole('button', { name: 'Remove the bot' }).waitFor()
    }))

  it('breaks what it is told to break, and the order comes all the same, once', () =>
    onPage(async ({ page }) => {
      const cards = (order: string) => log(page).getByText(`${order}: new`)
      await openChat(page, 'Dispatch group')
      await press(page, 'Answer 429 once')
      const refused = await pressNewOrder(page)
      await traffic(page)
        .getByText(/Too Many Requests: retry after 3/)
        .waitFor()
      await cards(refused).waitFor()
      await press(page, 'Break one connection')
      const cut = await pressNewOrder(page)
      await cards(cut).waitFor()
      await press(page, 'Slow answers (2 s)')
      const late = await pressNewOrder(page)
      await cards(late).waitFor()
      await press(page, 'Back to normal')
      await page.getByText('All is well.').waitFor()

      for (const order of [refused, cut, late]) expect(await cards(order).count()).toBe(1)
    }))

  it('delivers the last update twice, which the bot answers once', () =>
    onPage(async ({ page }) => {
      await openChat(page, 'Orderly')
      const answers = log(page).getByText('what you can ask it')
      const before = await answers.count()
      await say(page, '/help')
      await expect.poll(() => answers.count()).toBe(before + 1)

      const updates = traffic(page).getByRole('listitem').filter({ hasText: 'update message' })
      const delivered = await updates.count()
      await press(page, 'Deliver the last update twice')
      await toast(page, /was delivered again/).waitFor()
      await expect.poll(() => updates.count()).toBe(delivered + 1)

      expect(await answers.count()).toBe(before + 1)
    }))

  it('shows what customers write as text', () =>
    onPage(async ({ page }) => {
      const order = {
        ...anOrderOfNow('hostile'),
        note: '<img src=x onerror="document.title=1"> <b>bold</b> \u202Eevil',
      }
      await handIn(service, order)

      await openChat(page, 'Dispatch group')
      await log(page).getByText('<img src=x onerror="document.title=1"> <b>bold</b>').waitFor()
      expect(await log(page).locator('img').count()).toBe(0)
      expect(await page.title()).toContain('Orderly')
    }))

  it('offers the export as a download', () =>
    onPage(async ({ page }) => {
      await openChat(page, 'Orderly')
      await say(page, '/export')
      const link = log(page).getByRole('link', { name: /orders-.*\.jsonl/ })
      await link.waitFor()

      const [download] = await Promise.all([page.waitForEvent('download'), link.click()])

      expect(download.suggestedFilename()).toMatch(/^orders-\d{4}-\d{2}-\d{2}\.jsonl$/)
    }))

  it('writes several lines, keeps a draft for each chat, and closes the menu at Escape', () =>
    onPage(async ({ page }) => {
      const field = page.getByRole('textbox', { name: 'Message' })
      const menu = page.getByRole('listbox', { name: 'Commands' })
      await openChat(page, 'Orderly')
      await field.fill('/')
      await menu.waitFor()
      await field.press('Escape')
      expect(await menu.isVisible()).toBe(false)

      await field.fill('one')
      await field.press('Shift+Enter')
      await page.keyboard.type('two')
      expect(await field.inputValue()).toBe('one\ntwo')
      await openChat(page, 'Dispatch group')
      expect(await field.inputValue()).toBe('')
      await openChat(page, 'Orderly')
      expect(await field.inputValue()).toBe('one\ntwo')
      await field.press('Enter')
      await log(page)
        .getByRole('article', { name: /^You, \d\d:\d\d/ })
        .filter({ hasText: 'one\ntwo' })
        .waitFor()
    }))

  it('says what was done for a while, marks what is unread, and forgets the traffic when told', () =>
    onPage(async ({ page }) => {
      await openChat(page, 'Orderly')
      await pressNewOrder(page)
      const said = page.getByRole('status').getByText('A new order came in.')
      await said.waitFor()
      await page
        .getByRole('list', { name: 'Chats' })
        .getByRole('button', { name: 'Dispatch group 1 new message' })
        .waitFor()
      await press(page, 'Clear')
      await expect.poll(() => traffic(page).getByRole('listitem').count()).toBe(0)
      await expect.poll(() => said.count(), { timeout: 8_000 }).toBe(0)

      await openChat(page, 'Dispatch group')
      await log(page)
        .getByRole('article', { name: /^Orderly, \d\d:\d\d/ })
        .first()
        .waitFor()
      await expect.poll(() => page.locator('#chats').textContent()).not.toContain('new message')
    }))

  it('marks on a phone what came while another part was in front', () =>
    onPage(
      async ({ page }) => {
        const part = (name: RegExp) => page.getByRole('navigation').getByRole('button', { name })
        await part(/^Traffic/).click()
        await pressNewOrder(page)

        await part(/^Chats new messages/).waitFor()
        await part(/^Conversation/).click()
        await part(/^Chats$/).waitFor()
        expect(await part(/^Chats new messages/).count()).toBe(0)
      },
      { viewport: { width: 390, height: 844 } },
    ))

  const looks = [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['390 px wide', { viewport: { width: 390, height: 844 } }],
    ['390 px wide and dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ] as const

  it.each(looks)('has no violations of accessibility in %s', (_look, options) =>
    onPage(async ({ page }) => {
      const panes = page.getByRole('navigation').getByRole('button')
      await expectNoViolations(page)
      for (const pane of (await panes.first().isVisible()) ? await panes.all() : []) {
        await pane.click()
        await expectNoViolations(page)
      }
      if (await panes.first().isVisible()) await panes.nth(1).click()
      await page.getByRole('textbox', { name: 'Message' }).fill('/')
      await page.getByRole('option').first().waitFor()
      await expectNoViolations(page)
      await page.getByRole('textbox', { name: 'Message' }).fill('')
      await press(page, 'Start over')
      await page.getByRole('dialog').waitFor()
      await expectNoViolations(page)
      await press(page, 'Cancel')
      expect(await page.getByRole('dialog').count()).toBe(0)
    }, options),
  )

  it.each([320, 390, 768, 1360])('never scrolls sideways at %i px', (width) =>
    onPage(
      async ({ page }) => {
        const overflow = () =>
          page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        const panes = page.getByRole('navigation').getByRole('button')
        const all = (await panes.first().isVisible()) ? await panes.all() : []

        expect(await overflow()).toBeLessThanOrEqual(0)
        for (const pane of all) {
          await pane.click()
          expect(await overflow()).toBeLessThanOrEqual(0)
        }
      },
      { viewport: { width, height: 800 } },
    ),
  )

  it('starts over with the story as it was, and finds back by itself', async () => {
    const own = startService()
    const { page } = await openPage(browser, `${await own.url}/`)
    await press(page, 'New order')
    await log(page).getByText('New order 1: new').waitFor()
    await openChat(page, 'Orderly')
    await say(page, '/cleanup 2')
    await log(page).getByText('Deleted: 143 orders').waitFor()

    await press(page, 'Start over')
    await page.getByRole('dialog').getByRole('button', { name: 'Start over' }).click()

    await expect.poll(() => log(page).getByText('Deleted: 143 orders').count()).toBe(0)
    await page.getByText('connected', { exact: true }).waitFor()
    await openChat(page, 'Dispatch group')
    await log(page).getByText(': new').first().waitFor()
    expect(await log(page).getByText('New order 1').count()).toBe(0)
    await openChat(page, 'Orderly')
    await say(page, '/cleanup 2')
    await log(page).getByText('Deleted: 143 orders').waitFor()
    await page.context().close()
  })

  it('says that the connection is lost and how to start again, and comes back when the service does', async () => {
    const port = String(await freePort())
    const first = startService({ PORT: port })
    const { page } = await openPage(browser, `${await first.url}/`)
    await page.getByText('connected', { exact: true }).waitFor()

    await first.stop('SIGKILL')
    await page.getByText('npm start').waitFor()
    expect(await page.getByText('connected', { exact: true }).count()).toBe(0)

    await startService({ PORT: port }).url
    await page.getByText('connected', { exact: true }).waitFor()
    await page.context().close()
  })
})
