import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { expect, it } from 'vitest'
import { cleanUp, openChatPage, orderCard, type ChatPage } from '../support/chat-page.ts'
import {
  atTheEnd,
  residentBytes,
  type ServiceProcess,
  startService,
  untilReady,
  waitFor,
} from '../support/service-process.ts'

const ROUNDS = 10
const MOST_GROWTH_MB = 40

/** Connections that are kept for a while: each has both its ends in the process. */
const MOST_MORE_SOCKETS = 6

/** Presses Start over, and opens the page of the service that comes. */
async function startOver(page: ChatPage, url: string): Promise<ChatPage> {
  const startedAtMs = performance.now()
  expect(await page.act('restart', {})).toEqual({ status: 200, body: {} })
  await waitFor(() => page.isOver)
  const next = await waitFor(() => openChatPage(url).catch(() => undefined), 3_000)
  atTheEnd(next.close)
  expect(performance.now() - startedAtMs).toBeLessThan(3_000)
  expect(next.hello.run).not.toBe(page.hello.run)
  return next
}

/** What a process holds; undefined where the system does not tell. */
function measure({ child }: ServiceProcess) {
  const folder = `/proc/${child.pid}`
  if (!existsSync(`${folder}/status`)) return undefined
  // One that is closed meanwhile is left out.
  const sockets = readdirSync(`${folder}/fd`).flatMap((name) => {
    try {
      const target = readlinkSync(`${folder}/fd/${name}`)
      return target.startsWith('socket:') ? [target] : []
    } catch {
      return []
    }
  })
  const listening = new Set(
    ['tcp', 'tcp6']
      .flatMap((kind) => readFileSync(`${folder}/net/${kind}`, 'utf8').split('\n'))
      .map((line) => line.trim().split(/\s+/))
      .flatMap((fields) => (fields[3] === '0A' ? [`socket:[${fields[9]}]`] : [])),
  )
  return {
    megabytes: Math.round(residentBytes(child) / 1_000_000),
    sockets: sockets.length,
    listening: sockets.filter((name) => listening.has(name)).length,
  }
}

it('begins the story again at the same address, without the orders of before', async () => {
  const service = startService()
  const url = await service.url
  const page = await openChatPage(url)
  await cleanUp(page)
  await page.act('order', {})
  await orderCard(page, 'New order 1')

  const next = await startOver(page, url)

  expect(next.hello.messages.filter(({ text }) => text.includes('New order'))).toEqual([])
  expect(await cleanUp(next)).toContain('Deleted: 143 orders')
  expect(next.told).not.toContain('New order 1')
  await next.act('order', {})
  await orderCard(next, 'New order 1')
  const addresses = service.log().filter(({ event }) => event === 'service.listening')
  expect(addresses.map((line) => line['url'])).toEqual([url, url])
  expect(await service.stop()).toMatchObject({ code: 0, stderr: '' })
})

it(`leaves nothing behind ${ROUNDS} times in a row`, { timeout: 90_000 }, async () => {
  const service = startService()
  const url = await service.url
  await untilReady(service)
  let page = await openChatPage(url)
  const playAgain = async () => {
    page = await startOver(page, url)
    expect(await cleanUp(page)).toContain('Deleted: 143 orders')
    await page.act('order', {})
    await orderCard(page, 'New order 1')
  }
  // Until it has happened once, code is compiled and memory is used for the first time.
  await playAgain()
  const before = measure(service)

  for (let round = 1; round <= ROUNDS; round++) await playAgain()

  const after = measure(service)
  // A bot that was given the dead connections of the former one fails its first call.
  expect(service.log().filter(({ level }) => Number(level) >= 40)).toEqual([])
  // Node writes a warning on stderr where listeners pile up.
  expect(await service.stop()).toMatchObject({ code: 0, stderr: '' })
  if (before === undefined || after === undefined) return
  const grownBy = after.megabytes - before.megabytes
  console.log(
    `${ROUNDS} times over: ${grownBy} MB more (at most ${MOST_GROWTH_MB}), ${after.sockets} sockets after ${before.sockets}`,
  )
  expect(grownBy).toBeLessThanOrEqual(MOST_GROWTH_MB)
  expect(after.listening).toBe(1)
  expect(after.sockets - before.sockets).toBeLessThanOrEqual(MOST_MORE_SOCKETS)
})

it('asked for twice at once begins again once', async () => {
  const service = startService()
  const url = await service.url
  const page = await openChatPage(url)

  const answers = await Promise.all([page.act('restart', {}), page.act('restart', {}).catch(() => undefined)])
  await waitFor(() => page.isOver)
  const next = await waitFor(() => openChatPage(url).catch(() => undefined), 3_000)
  await cleanUp(next)

  expect(answers[0]?.status).toBe(200)
  expect(service.log().filter(({ event }) => event === 'service.listening')).toHaveLength(2)
  expect(await service.stop()).toMatchObject({ code: 0, stderr: '' })
})

it('is given up for a signal that comes meanwhile', async () => {
  const service = startService()
  const page = await openChatPage(await service.url)
  await page.act('restart', {})

  expect(await service.stop()).toMatchObject({ code: 0, stderr: '' })
  expect(service.log().at(-1)).toMatchObject({ event: 'service.stopped' })
})
