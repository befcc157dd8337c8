import { crc32, deflateSync } from 'node:zlib'
import { fastify, type FastifyInstance } from 'fastify'
import { Bot, InlineKeyboard, InputFile } from 'grammy'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { asha, groupsOf } from '../../src/sandbox/people.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { expectNoViolations, openBrowser, openPage } from '../support/browser.ts'
import { chromiumPath } from '../support/chromium.ts'

const token = '1234567:TEST-token_for-the-page'

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), content])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/** A whole PNG of one colour. */
function picture(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.writeUInt8(8, 8)
  const pixels = deflateSync(Buffer.alloc((width + 1) * height, 0x80))
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

describe.skipIf(chromiumPath === undefined)('What a bot sends, on the chat page', { timeout: 60_000 }, () => {
  let [browser, server, sandbox, bot, page] = [] as unknown as [Browser, FastifyInstance, Sandbox, Bot, Page]
  let complaints: readonly string[] = []
  const log = () => page.getByRole('log')

  beforeAll(async () => {
    browser = await openBrowser()
    server = fastify()
    sandbox = createSandbox({
      clock: systemClock,
      version: '0.0.0-test',
      run: 'test',
      storeKind: 'memory',
      token,
      groups: groupsOf(1),
      newOrder: () => ({}),
      handIn: async () => ({ status: 201, id: 'none' }),
      restart: () => undefined,
    })
    await sandbox.mount(server)
    const url = await server.listen({ host: '127.0.0.1', port: 0 })
    bot = new Bot(token, { client: { apiRoot: `${url}/sandbox` } })
    bot.on('callback_query:data', (context) => {
      const { data } = context.callbackQuery
      const alert = { text: 'See the map', show_alert: true }
      return context.answerCallbackQuery(data === 'toast' ? { text: 'Noted' } : data === 'alert' ? alert : undefined)
    })
    void bot.start()
    ;({ page, complaints } = await openPage(browser, url))
    await page
      .getByRole('list', { name: 'Chats' })
      .getByRole('button', { name: /^Orderly/ })
      .click()
  }, 60_000)
  afterAll(async () => {
    await bot.stop()
    await sandbox.stop()
    await server.close()
    await browser.close()
  })

  it('is formatted as its entities say, and never otherwise', async () => {
    const html =
      '<b>bold <i>both</i></b> <u>under</u> <s>gone</s> <code>a &lt; b</code> <a href="https://example.org/x">link</a> ' +
      '<tg-spoiler>secret</tg-spoiler>\n<pre><code class="language-js">let x</code></pre>\n<blockquote>said</blockquote>'
    await bot.api.sendMessage(asha.id, html, { parse_mode: 'HTML' })

    await log().getByText('both').waitFor()
    expect(await log().locator('b, strong').filter({ hasText: 'both' }).count()).toBeGreaterThan(0)
    expect(await log().locator('code').first().textContent()).toBe('a < b')
    const link = log().getByRole('link', { name: 'link' })
    expect([await link.getAttribute('href'), await link.getAttribute('rel')]).toEqual([
      'https://example.org/x',
      expect.stringContaining('noopener'),
    ])
    await expectNoViolations(page)
  })

  it('is a picture with its caption, that changes when the bot changes it', async () => {
    const photo = new InputFile(picture(320, 180), 'map.png')
    const sent = await bot.api.sendPhoto(asha.id, photo, { caption: 'The way' })

    const image = log().getByRole('img').last()
    await image.waitFor()
    await expect.poll(() => image.evaluate((element) => 'naturalWidth' in element && element.naturalWidth)).toBe(320)
    expect(await image.getAttribute('alt')).not.toBe('')
    await log().getByText('The way').waitFor()
    await bot.api.editMessageCaption(asha.id, sent.message_id, { caption: 'Another way' })
    await log().getByText('Another way').waitFor()
    expect(await log().getByText('The way', { exact: true }).count()).toBe(0)
    await expectNoViolations(page)
  })

  it('is followed to its end, also when it is pictures that come late', async () => {
    for (let count = 0; count < 6; count += 1) {
      await bot.api.sendPhoto(asha.id, new InputFile(picture(1000, 600), 'map.png'), { caption: `Picture ${count}` })
    }
    await log().getByText('Picture 5').waitFor()

    const fromEnd = () => log().evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight)
    await expect.poll(fromEnd).toBeLessThan(48)
    await log().evaluate((element) => element.scrollTo({ top: 0, behavior: 'instant' }))
    await expect.poll(fromEnd).toBeGreaterThan(500)
    await bot.api.sendMessage(asha.id, 'Out of sight')
    await page.getByRole('button', { name: '↓ 1 new message' }).click()
    await expect.poll(fromEnd).toBeLessThan(48)
  })

  it('is refused in red where Telegram knows no such method', async () => {
    await expect(bot.api.logOut()).rejects.toThrow('404')

    const row = page.locator('.row.failed', { hasText: 'Not Found: method not found' })
    await row.waitFor()
    expect(await row.textContent()).toContain('logOut')
    const colour = (where: string) =>
      page.locator(where).evaluate((element) => String(Reflect.get(globalThis, 'getComputedStyle')(element).color))
    expect(await colour('.row.failed .row-outcome >> nth=-1')).not.toBe(
      await colour('.row:not(.failed) .row-outcome >> nth=-1'),
    )
  })

  it('goes when the bot deletes it', async () => {
    const { message_id: id } = await bot.api.sendMessage(asha.id, 'soon gone')
    await log().getByText('soon gone').waitFor()

    await bot.api.deleteMessage(asha.id, id)

    await expect.poll(() => log().getByText('soon gone').count()).toBe(0)
  })

  it('answers a press with a toast, with an alert, or with nothing', async () => {
    const keyboard = new InlineKeyboard().text('Toast', 'toast').text('Alert', 'alert').text('Silent', 'silent')
    await bot.api.sendMessage(asha.id, 'Press one', { reply_markup: keyboard })

    await log().getByRole('button', { name: 'Toast' }).click()
    await page.locator('#toast').getByText('Noted').waitFor()
    await log().getByRole('button', { name: 'Alert' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('See the map').waitFor()
    await expectNoViolations(page)
    await dialog.getByRole('button', { name: 'OK' }).click()
    await log().getByRole('button', { name: 'Silent' }).click()
    await expect.poll(() => log().getByRole('button', { name: 'Silent' }).getAttribute('aria-busy')).not.toBe('true')
  })

  it('keeps focus and an open line of traffic while other things change', async () => {
    await bot.api.sendMessage(asha.id, 'Hold on', { reply_markup: new InlineKeyboard().text('Held', 'silent') })
    const held = log().getByRole('button', { name: 'Held' })
    await held.focus()
    const row = page.getByRole('group', { name: 'Traffic' }).getByRole('listitem').last()
    await row.locator('summary').click()
    await held.focus()

    for (let count = 0; count < 5; count += 1) await bot.api.sendMessage(asha.id, `More ${count}`)
    await log().getByText('More 4').waitFor()

    expect(await held.evaluate((element) => element.matches(':focus'))).toBe(true)
    expect(await page.locator('#traffic details[open]').count()).toBe(1)
  })

  it('does not tell a spoiler in the list of chats', async () => {
    await bot.api.sendMessage(asha.id, 'It was <tg-spoiler>the cook</tg-spoiler>.', { parse_mode: 'HTML' })

    await expect.poll(() => page.locator('#chats').textContent()).toContain('It was ▒▒▒▒▒▒▒▒.')
  })

  it('changes nothing on the page when it is too old to be shown', async () => {
    const { message_id: id } = await bot.api.sendMessage(asha.id, 'The oldest')
    for (let count = 0; count < 301; count += 1) await bot.api.sendMessage(asha.id, `After it ${count}.`)
    await log().getByText('After it 300.').waitFor()

    await bot.api.editMessageText(asha.id, id, 'The oldest, changed')
    await bot.api.sendMessage(asha.id, 'The latest')

    await log().getByText('The latest').waitFor()
    expect(await log().getByText('The oldest, changed').count()).toBe(0)
  })

  it('stays within bounds however much it is', async () => {
    for (let count = 0; count < 330; count += 1) await bot.api.sendMessage(asha.id, `Number ${count}.`)
    await log().getByText('Number 329.').waitFor()

    expect(await log().locator(':scope > *').count()).toBeLessThanOrEqual(301)
    expect(await page.locator('#traffic > li').count()).toBeLessThanOrEqual(300)
    expect(complaints).toEqual([])
  })
})
