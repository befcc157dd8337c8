import { Bot } from 'grammy'
import type { Update } from 'grammy/types'
import { describe, expect, it } from 'vitest'
import { figuresOf } from '../../src/redis/status/figures.ts'
import type { StatusLine, StoreStatus, Verdict } from '../../src/redis/status/status.ts'
import { createIsAdmin } from '../../src/telegram/admin.ts'
import { redisCommand, redisText } from '../../src/telegram/redis.ts'

const ADMIN = 11
const STRANGER = 44

const aLine = (name: string, verdict: Verdict, cure: string | null = null): StatusLine => ({
  name,
  value: `value of ${name}`,
  verdict,
  cure,
})

const aStatus = (given: Partial<StoreStatus> = {}): StoreStatus => ({
  name: 'orders',
  ok: true,
  verdict: 'ok',
  error: null,
  lines: [aLine('memory', 'ok')],
  figures: figuresOf({ info: new Map(), nowMs: 0, settings: new Map() }),
  families: null,
  queues: [],
  areQueuesComplete: null,
  slowLog: [],
  billedCommands: 0,
  ...given,
})

const silent = aStatus({
  name: 'bullmq',
  ok: false,
  verdict: 'bad',
  error: { code: 'REDIS_UNREACHABLE', message: 'Redis is unreachable: no answer within 5 s.' },
  lines: [],
})

/** What the bot says to a command of somebody, without any Telegram. */
async function answersTo(from: number, status: () => Promise<readonly StoreStatus[]>): Promise<readonly unknown[]> {
  const said: unknown[] = []
  const botInfo = {
    id: 1,
    is_bot: true,
    first_name: 'Orderly',
    username: 'orderly_bot',
  } as NonNullable<ConstructorParameters<typeof Bot>[1]>['botInfo'] & object
  const bot = new Bot('1:token', { botInfo })
  bot.api.config.use(async (_previous, method, payload) => {
    said.push({ method, ...payload })
    return { ok: true, result: true } as never
  })
  bot.use(redisCommand({ isAdmin: createIsAdmin([ADMIN]), redisStatus: status }))
  const message = {
    message_id: 1,
    date: 1,
    chat: { id: from, type: 'private', first_name: 'Anna' },
    from: { id: from, is_bot: false, first_name: 'Anna' },
    text: '/redis',
    entities: [{ type: 'bot_command', offset: 0, length: 6 }],
  }
  await bot.handleUpdate({ update_id: 1, message } as unknown as Update)
  return said
}

describe('/redis', () => {
  it('tells an admin how each Redis is', async () => {
    const said = await answersTo(ADMIN, async () => [aStatus()])

    expect(said).toEqual([
      expect.objectContaining({ method: 'sendMessage', chat_id: ADMIN, text: redisText([aStatus()]) }),
    ])
  })

  it('refuses a stranger, who gets their own id, and asks no Redis', async () => {
    let asked = 0
    const said = await answersTo(STRANGER, async () => {
      asked += 1
      return [aStatus()]
    })

    expect(said).toEqual([expect.objectContaining({ text: expect.stringContaining(`Your id is ${STRANGER}`) })])
    expect(asked).toBe(0)
  })
})

describe('the text of /redis', () => {
  it('begins with the worst Redis and its worst lines, each with what to do, and ends with what is well', () => {
    const families = { largest: [{ name: 'order', keys: 225, bytes: 400_000 }], others: 0, isEstimate: false }
    const troubled = aStatus({
      verdict: 'bad',
      lines: [
        aLine('role', 'ok'),
        aLine('memory', 'look', 'Set maxmemory.'),
        aLine('slow log', 'unknown', 'Give the right.'),
        aLine('AOF', 'bad', 'Set appendonly yes.'),
      ],
      families,
    })

    expect(redisText([aStatus({ name: 'inngest' }), troubled, silent])).toBe(
      [
        '🔴 Redis of orders',
        '🔴 AOF: value of AOF. Set appendonly yes.',
        '🟡 memory: value of memory. Set maxmemory.',
        '⚪ slow log: value of slow log. Give the right.',
        '',
        '🔴 Redis of bullmq does not answer: Redis is unreachable: no answer within 5 s.',
        '',
        '🟢 Redis of inngest is well',
        '',
        'Redis of orders, what is well:',
        '• role: value of role',
        'Largest families of keys:',
        '• order: 225 keys, about 390.6 KiB',
        '',
        'Redis of inngest, what is well:',
        '• memory: value of memory',
      ].join('\n'),
    )
  })

  it('fits one message and still names every Redis that needs something, however much there is to tell', () => {
    const long = 'x'.repeat(2_000)
    const lines = Array.from({ length: 60 }, (_, at) => ({ ...aLine(`queue ${at}`, 'ok'), value: long }))
    const troubles = [aLine('AOF', 'bad', 'Set appendonly yes.'), aLine('memory', 'look', 'Set maxmemory.')]
    const statuses = ['orders', 'inngest', 'bullmq', 'executions'].map((name) =>
      aStatus({ name, verdict: 'bad', lines: [...lines, ...troubles] }),
    )

    const text = redisText(statuses)

    expect(text.length).toBeLessThanOrEqual(4_096)
    for (const { name } of statuses) expect(text).toContain(`🔴 Redis of ${name}\n🔴 AOF`)
    expect(text.endsWith('…')).toBe(true)
  })

  it('tells twelve troubles of one Redis and counts the others', () => {
    const lines = Array.from({ length: 15 }, (_, at) => aLine(`queue ${at}`, 'look', 'Resume it.'))

    const text = redisText([aStatus({ verdict: 'look', lines })])

    expect(text.match(/🟡 queue/g)).toHaveLength(12)
    expect(text).toContain('• and 3 more, see orderly redis status')
  })
})
