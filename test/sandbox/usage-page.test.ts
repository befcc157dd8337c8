import { fastify, type FastifyInstance } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPainter } from '../../src/charts/painter.ts'
import { themes } from '../../src/charts/theme.ts'
import { usageChart } from '../../src/charts/usage-chart.ts'
import { systemClock } from '../../src/clock.ts'
import { headline, subline } from '../../src/redis/budget/sentences.ts'
import { asha, groupsOf } from '../../src/sandbox/people.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { expectNoViolations, openBrowser, openPage } from '../support/browser.ts'
import { chromiumPath } from '../support/chromium.ts'
import { createUsageBot, withMoreUsed, type UsageBot } from '../telegram/usage-rig.ts'

const token = '1234567:TEST-token_for-the-page'

describe.skipIf(chromiumPath === undefined)('The month’s use on the chat page', { timeout: 60_000 }, () => {
  const painter = createPainter()
  let [browser, server, sandbox, page] = [] as unknown as [Browser, FastifyInstance, Sandbox, Page]
  let usage: UsageBot
  let complaints: readonly string[] = []

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
    usage = createUsageBot({ token, apiRoot: `${url}/sandbox`, adminIds: [asha.id] })
    usage.now.paint = (report) =>
      painter.paint(usageChart(report, { title: headline(report), subtitle: subline(report), theme: themes.light }))
    await usage.bot.start()
    ;({ page, complaints } = await openPage(browser, url))
    await page
      .getByRole('list', { name: 'Chats' })
      .getByRole('button', { name: /^Orderly/ })
      .click()
  }, 60_000)
  afterAll(async () => {
    await usage.bot.stop()
    await sandbox.stop()
    await server.close()
    await browser.close()
    await painter.stop()
  })

  const say = async (text: string) => {
    await page.getByRole('textbox', { name: 'Message' }).fill(text)
    await page.getByRole('textbox', { name: 'Message' }).press('Enter')
  }
  const bubble = () => page.getByRole('log').locator(':scope > *', { has: page.getByRole('img') })
  const source = () => bubble().getByRole('img').getAttribute('src')

  it('is a picture with the facts below it, which Refresh brings up to date in place', async () => {
    const first = usage.now.report
    await say('/usage')

    const image = bubble().getByRole('img', { name: headline(first) })
    await image.waitFor()
    await expect
      .poll(() => image.evaluate((element) => 'naturalWidth' in element && element.naturalWidth), { timeout: 10_000 })
      .toBe(1_280)
    expect(await bubble().locator('strong, b').allTextContents()).toEqual([headline(first)])
    expect(await bubble().textContent()).toContain(subline(first))
    expect(await bubble().getByRole('button').allTextContents()).toEqual(['Refresh'])
    await expectNoViolations(page)

    const before = await source()
    const later = withMoreUsed(371_004)
    usage.now.report = later
    usage.clock.advance(15_000)
    await bubble().getByRole('button', { name: 'Refresh' }).click()

    await page.locator('#toast').getByText('Refreshing…').waitFor()
    await bubble().getByText(headline(later)).waitFor()
    expect(await source()).not.toBe(before)
    expect(await bubble().count()).toBe(1)
    await bubble()
      .getByText(/edited/)
      .waitFor()
    expect(complaints).toEqual([])
  })
})
