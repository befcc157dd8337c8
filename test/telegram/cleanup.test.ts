import { afterEach, beforeEach, expect, it } from 'vitest'
import { sumOf } from '../support/billing.ts'
import { describeWithRedis } from '../support/redis-server.ts'
import {
  ADMIN,
  GROUP,
  OFFICE,
  OTHER_ADMIN,
  startServiceRig,
  STRANGER,
  type ServiceRig,
  type ServiceRigOptions,
} from '../support/bot-rig.ts'
import type { ChatMessage } from '../support/telegram.ts'

let rig: ServiceRig

const start = async (options: ServiceRigOptions = {}) => {
  rig = await startServiceRig(options)
  await rig.redis.resetStats()
}

afterEach(async () => {
  await rig.stop()
})

const fromBot = (chatId: number) => rig.telegram.chat(chatId).messages.filter(({ isFromBot }) => isFromBot)

/** Says something, and resolves with the bot's message that the test waits for. */
async function answerTo(
  text: string,
  { by = ADMIN, chat = ADMIN, like = /./, withinMs = 2_000 } = {},
): Promise<ChatMessage> {
  const before = new Set(fromBot(chat).map(({ id }) => id))
  rig.telegram.say(by, chat, text)
  return await rig.telegram.waitFor(
    () => fromBot(chat).find((one) => !before.has(one.id) && like.test(one.text)),
    withinMs,
  )
}

const COMPLETE = /^✅ Redis cleanup complete!/
const ASKS = /^⚠️ This would also delete/

const fiveLines = (deleted: number, date: string) =>
  [
    '✅ Redis cleanup complete!',
    '',
    `📊 Deleted: ${deleted} orders`,
    `📅 Cutoff date: ${date}`,
    `📅 Kept: Orders from ${date} onwards`,
  ].join('\n')

const countOrders = async () => ((await rig.ask('KEYS', 'order:*')) as unknown[]).length

/** What the server counts once the bot's last answer is there and the lock is given back. */
async function costOfCleanup() {
  await rig.telegram.waitFor(() => rig.telegram.pendingUpdates === 0)
  return await rig.billed()
}

describeWithRedis('/cleanup with the orders of the former bot', () => {
  beforeEach(async () => {
    await start({ hasFormerOrders: true, env: { ORDERS_CHAT_ID: '' } })
  })

  it('deletes 143 with 2 days, then 61 with 0 days without asking, for 8 commands each', async () => {
    const first = await answerTo('/cleanup 2', { like: COMPLETE })
    expect(first.text.split('\n').slice(0, 5).join('\n')).toBe(fiveLines(143, '2025-12-06'))
    expect(sumOf(await costOfCleanup())).toBeLessThanOrEqual(8)
    expect(await countOrders()).toBe(82)

    await rig.redis.resetStats()
    const second = await answerTo('/cleanup 0', { like: COMPLETE })
    expect(second.text.split('\n').slice(0, 5).join('\n')).toBe(fiveLines(61, '2025-12-08'))
    expect(sumOf(await costOfCleanup())).toBeLessThanOrEqual(8)
    expect(await countOrders()).toBe(21)
  })

  it('says what was kept because it is open only where there is any, and what it cost', async () => {
    const none = await answerTo('/cleanup 2', { like: COMPLETE })
    await rig.receive({ source_id: 'open', created_at: '2025-12-06T20:00:00+01:00' })
    const one = await answerTo('/cleanup', { like: COMPLETE })

    expect(none.text).not.toMatch(/open|Unreadable/)
    expect(one.text.split('\n').slice(5)).toEqual([
      '🛵 Kept because open: 1 (open ones go before 2025-12-06)',
      expect.stringMatching(/^🧮 Redis commands: 8 \(.*MGET 1, SCAN 1, .*UNLINK 1.*\)$/),
      expect.stringMatching(/^⏱ Took \d+\.\d s$/),
    ])
  })

  it('takes one day when no days are given', async () => {
    const { text } = await answerTo('/cleanup', { like: COMPLETE })

    expect(text).toContain('📅 Cutoff date: 2025-12-07')
  })

  it('asks before an open order of yesterday goes, and does it at the tap of the admin who asked, once', async () => {
    await rig.receive({ source_id: 'open', created_at: '2025-12-07T20:00:00+01:00' })
    const before = await countOrders()
    const question = await answerTo('/cleanup 0', { like: ASKS })
    expect(question.text).toBe('⚠️ This would also delete 1 order that is still open.')
    expect(await countOrders()).toBe(before)

    rig.clock.advance(5 * 60_000 - 2_000)
    expect(await rig.telegram.press(ADMIN, ADMIN, question.id, '🗑 Delete them')).toEqual({})

    await rig.telegram.waitFor(() => fromBot(ADMIN).find(({ text }) => COMPLETE.test(text)))
    expect(await countOrders()).toBe(21)
    await rig.telegram.waitFor(() => fromBot(ADMIN).find(({ id }) => id === question.id)?.buttons.length === 0)
  })

  it('spares an open order so old that it is not in memory, and asks about it afterwards', async () => {
    await rig.ask('SET', 'order:forgotten', '{"status":"new","created_at":"2025-11-20T12:00:00+01:00"}')

    await answerTo('/cleanup 0', { like: COMPLETE })
    const question = await rig.telegram.waitFor(() =>
      fromBot(ADMIN).find(({ text }) => text.startsWith('⚠️ Kept for now')),
    )
    expect(await rig.ask('EXISTS', 'order:forgotten')).toBe(1)

    await rig.telegram.press(ADMIN, ADMIN, question.id, '🗑 Delete them')
    await rig.telegram.waitFor(() => fromBot(ADMIN).filter(({ text }) => COMPLETE.test(text)).length === 2)
    expect(await rig.ask('EXISTS', 'order:forgotten')).toBe(0)
  })

  it('does nothing when another person taps, or after 5 minutes', async () => {
    await rig.receive({ source_id: 'open', created_at: '2025-12-07T20:00:00+01:00' })
    const before = await countOrders()
    rig.telegram.say(ADMIN, OFFICE, '/cleanup 0')
    const { id } = await rig.telegram.waitFor(() => fromBot(OFFICE).find(({ text }) => ASKS.test(text)))

    expect(await rig.telegram.press(STRANGER, OFFICE, id, '🗑 Delete them')).toEqual({
      toast: 'Only the admin who asked may confirm this.',
      alert: true,
    })
    rig.clock.advance(5 * 60_000 + 1_000)
    expect(await rig.telegram.press(ADMIN, OFFICE, id, '🗑 Delete them')).toEqual({
      toast: 'This button has expired. Send /cleanup again.',
      alert: true,
    })
    expect(await countOrders()).toBe(before)
  })

  it('shows in a preview what would go, deletes nothing, and offers one button to do it', async () => {
    const shown = await answerTo('/cleanup 2 preview')

    expect(shown.text.split('\n')[0]).toBe('🔍 A cleanup that keeps today and 2 days before would delete 143 orders.')
    expect(shown.buttons.flat().map(({ text }) => text)).toEqual(['🗑 Delete them'])
    expect(Object.keys(await rig.billed()).toSorted()).toEqual(['MGET', 'SCAN'])
    expect(await countOrders()).toBe(225)

    await rig.telegram.press(ADMIN, ADMIN, shown.id, '🗑 Delete them')
    const done = await rig.telegram.waitFor(() => fromBot(ADMIN).find(({ text }) => COMPLETE.test(text)))
    expect(done.text).toContain(fiveLines(143, '2025-12-06'))
  })

  it('offers no button in a preview of nothing', async () => {
    const shown = await answerTo('/cleanup 300 PREVIEW')

    expect(shown.text).toContain('would delete 0 orders')
    expect(shown.buttons).toEqual([])
  })

  it('ends in a message that says what failed and what was deleted', async () => {
    await rig.redis.kill('SIGKILL')

    const { text } = await answerTo('/cleanup 2', { like: /^⚠️/ })

    expect(text).toMatch(/^⚠️ The cleanup failed: .*Redis/)
    expect(text).toContain('📊 Deleted until then: 0 orders')
    await rig.redis.restart()
  })

  it('ends with its report, though Telegram does not take the last edit at first', async () => {
    rig.telegram.failNext('editMessageText', 'reset')

    const { text } = await answerTo('/cleanup 2', { like: COMPLETE })

    expect(text).toContain('📊 Deleted: 143 orders')
    expect(fromBot(ADMIN)).toHaveLength(1)
  })

  it('ends with its report in a new message when the progress message is gone', async () => {
    rig.telegram.failNext('editMessageText', { status: 400, description: 'Bad Request: message to edit not found' })

    expect((await answerTo('/cleanup 2', { like: COMPLETE })).text).toContain('📊 Deleted: 143 orders')
  })

  it('does its work though its command cannot be deleted and its progress cannot be shown', async () => {
    rig.telegram.failNext('deleteMessage', 'reset')
    rig.telegram.failNext('sendMessage', 'reset')

    expect((await answerTo('/cleanup 2', { like: COMPLETE })).text).toContain('📊 Deleted: 143 orders')
  })

  it('deletes its command where it may, and leaves it where it may not', async () => {
    await answerTo('/cleanup 300', { chat: ADMIN, like: COMPLETE })
    await answerTo('/cleanup 300', { chat: OFFICE, like: COMPLETE })
    await answerTo('/cleanup 300', { chat: GROUP, like: COMPLETE })
    await rig.telegram.waitFor(
      () => rig.telegram.calls.filter(({ method, status }) => method === 'deleteMessage' && status).length === 3,
    )

    const commandsIn = (chat: number) => rig.telegram.chat(chat).messages.filter(({ text }) => text === '/cleanup 300')
    expect([ADMIN, OFFICE, GROUP].map((chat) => commandsIn(chat).length)).toEqual([0, 0, 1])
  })

  it('listens to its own name only, and not to edited messages and channels', async () => {
    rig.telegram.say(ADMIN, OFFICE, '/cleanup@somebody_else_bot 2')
    const message = { message_id: 1, date: 1, chat: { id: ADMIN, type: 'private', first_name: 'Anna' } }
    const said = {
      ...message,
      text: '/cleanup 2',
      entities: [{ type: 'bot_command', offset: 0, length: 8 }],
      from: { id: ADMIN, is_bot: false, first_name: 'Anna' },
    }
    await rig.post(JSON.stringify({ update_id: 1, edited_message: said }))
    await rig.post(JSON.stringify({ update_id: 2, edited_channel_post: said }))
    await rig.telegram.waitFor(() => rig.telegram.pendingUpdates === 0)
    expect([...fromBot(OFFICE), ...fromBot(ADMIN)]).toEqual([])
    expect(await countOrders()).toBe(225)

    await answerTo('/cleanup@orderly_test_bot 2', { chat: OFFICE, like: COMPLETE })
    expect(await countOrders()).toBe(82)
  })

  it('says who started a cleanup that is running', async () => {
    await rig.ask(
      'SET',
      'orderly:lock:orders',
      'token command by 22, started 2025-12-08T20:59:58.000+01:00',
      'EX',
      '60',
    )

    const { text } = await answerTo('/cleanup 2', { like: /^⏳/ })

    expect(text).toBe('⏳ A cleanup is already running, started by 22 (command) at 2025-12-08 20:59.')
    expect(await countOrders()).toBe(225)
  })

  it('on schedule is reported to the admins, though Telegram is away at first', async () => {
    rig.clock.moveTo('2025-12-08T23:59:30+01:00')
    rig.telegram.failNext('sendMessage', 'reset')
    rig.telegram.failNext('sendMessage', 'reset')

    expect((await fetch(`${rig.url()}/healthz`)).status).toBe(200)

    const report = await rig.telegram.waitFor(() => fromBot(ADMIN).find(({ text }) => COMPLETE.test(text)), 5_000)
    expect(report.text).toContain(fiveLines(143, '2025-12-06'))
  })

  it('tells strangers their own id and nothing else, in groups, too', async () => {
    const refusal = 'This is for admins only. Your id is 44: an admin can add it to ADMIN_IDS.'
    for (const chat of [STRANGER, GROUP, OFFICE]) {
      expect((await answerTo('/cleanup 0', { by: STRANGER, chat })).text).toBe(refusal)
      expect((await answerTo('/status', { by: STRANGER, chat })).text).toBe(refusal)
      expect((await answerTo('/export', { by: STRANGER, chat })).text).toBe(refusal)
    }
    expect(await rig.billed()).toEqual({})
    expect(await countOrders()).toBe(225)
  })
})

describeWithRedis('/cleanup', () => {
  beforeEach(async () => {
    await start()
  })

  it('answers every bad argument with its usage and an example', async () => {
    const bad = [
      '-1',
      '366',
      '999',
      '1000',
      '00000',
      '1.5',
      '1,5',
      '2e1',
      '0x2',
      '+2',
      '--2',
      '٢',
      '２',
      '²',
      'two',
      'NaN',
      'Infinity',
      'null',
      'preview 2',
      'preview preview',
      '2 preview 3',
      '2 2',
      '2preview',
      '2 previews',
      '2;3',
      'all',
      '*',
      '2 now',
      "'; DROP",
      '2\u00a0x',
      '🗑',
      '2 preview!',
      '1 000',
      '9'.repeat(3_000),
      '$2',
      '[2]',
    ]
    expect(bad.length).toBeGreaterThanOrEqual(30)

    for (const words of bad) {
      const { text } = await answerTo(`/cleanup ${words}`)
      expect([words.slice(0, 20), text.split('\n')[0]]).toEqual([
        words.slice(0, 20),
        'Usage: /cleanup [days] [preview]',
      ])
      expect(text).toContain('Example: /cleanup 2 preview')
    }
    expect(await rig.billed()).toEqual({})
  })

  it.each([
    ['/cleanup 365', '2024-12-08'],
    ['/cleanup   7  ', '2025-12-01'],
    ['/cleanup 007', '2025-12-01'],
    ['/cleanup\n7', '2025-12-01'],
  ])('takes %j', async (text, date) => {
    expect((await answerTo(text, { like: COMPLETE })).text).toContain(`📅 Cutoff date: ${date}`)
  })

  it('edits its progress at most every 3 seconds', async () => {
    const orders = Array.from({ length: 30_000 }, (_, number) => [`order:old-${number}`, OLD_ORDER]).flat()
    await rig.ask('MSET', ...orders)
    const stopTime = startTime()

    await answerTo('/cleanup 2', { like: COMPLETE, withinMs: 15_000 }).finally(stopTime)

    const edits = rig.telegram.calls.filter(({ method }) => method === 'editMessageText')
    const progress = edits.filter(({ params }) => String(params['text']).startsWith('🧹'))
    const gaps = progress.slice(1).map(({ atMs }, at) => atMs - (progress[at]?.atMs ?? 0))
    expect(progress.length).toBeGreaterThan(1)
    expect(gaps.filter((ms) => ms < 3_000)).toEqual([])
    expect(edits.at(-1)?.params['text']).toContain('📊 Deleted: 30000 orders')
  })

  it('does nothing for a forged button of another admin, of too many days, or without an end', async () => {
    const until = Math.floor(rig.clock() / 1_000) + 100
    const forged = [`c:2:${OTHER_ADMIN}:${until}`, `c:999:${ADMIN}:${until}`, `c:2:${ADMIN}:`, `c:2:${ADMIN}:-1`]
    await rig.ask('SET', 'order:old', OLD_ORDER)
    for (const [at, data] of forged.entries()) {
      await rig.post(JSON.stringify(aPress(at + 1, data)))
    }

    const texts = rig.telegram.calls
      .filter(({ method }) => method === 'answerCallbackQuery')
      .map(({ params }) => params['text'])
    expect(texts.filter((text) => String(text).startsWith('Only the admin'))).toHaveLength(1)
    expect(texts.filter((text) => String(text).startsWith('This button is not in use'))).toHaveLength(3)
    expect(await rig.ask('EXISTS', 'order:old')).toBe(1)
  })
})

const OLD_ORDER = JSON.stringify({ status: 'delivered', created_at: '2025-11-01T12:00:00+01:00' })

/** Lets a millisecond pass at each turn of the event loop. */
function startTime(): () => void {
  let turn = setImmediate(function pass() {
    rig.clock.advance(1)
    turn = setImmediate(pass)
  })
  return () => clearImmediate(turn)
}

const aPress = (updateId: number, data: string) => ({
  update_id: updateId,
  callback_query: {
    id: `forged-${updateId}`,
    from: { id: ADMIN, is_bot: false, first_name: 'Anna' },
    chat_instance: '1',
    message: { message_id: 1, date: 1, chat: { id: ADMIN, type: 'private', first_name: 'Anna' }, text: 'x' },
    data,
  },
})
