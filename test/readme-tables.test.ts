import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import { runCli } from '../src/cli/run.ts'
import { readConfig, variableNames } from '../src/config.ts'
import { createHttpServer } from '../src/http/server.ts'
import { createOrderId, orderIdOf } from '../src/orders/order.ts'
import { createMemoryConnection } from '../src/redis/memory.ts'
import { refusal, unreachable } from '../src/redis/failures.ts'
import { calendarCutoffs } from '../src/sweeps/retention.ts'
import { cardOf } from '../src/telegram/card.ts'
import { codeIn, documentText, tableRows } from './support/markdown.ts'

const readme = documentText('README.md')
const sweepsPage = documentText('docs/sweeps.md')

/** The default that docs/configuration.md tells for each variable; a drift test holds that page to the code. */
const documentedDefaults = new Map(
  tableRows(documentText('docs/configuration.md'), 'variable').map(([name, value]) => [codeIn(name), codeIn(value)]),
)

const NOW = Date.parse('2025-12-08T20:00:00Z')

async function help(...args: string[]): Promise<string> {
  let said = ''
  const io = { env: {}, stdout: (text: string) => void (said += text), stderr: () => undefined, isTerminal: false }
  await runCli([...args, '--help'], '0.0.0', { ...io, signal: new AbortController().signal })
  return said
}

/** An app on the embedded store, and what a piece of work on it is billed. */
async function setUp() {
  const connection = createMemoryConnection({ clock: () => NOW })
  const app = await createApp(readConfig({}), pino({ level: 'silent' }), { clock: () => NOW, connection })
  const costOf = async (work: () => Promise<unknown>) => {
    const before = app.meter.cost().billed
    await work()
    return app.meter.cost().billed - before
  }
  return { app, connection, costOf }
}

const anIntake = {
  source: 'phone',
  source_id: '17',
  created_at: '2025-12-08T18:02:11+01:00',
  customer: { name: 'Lena Huber' },
  items: [{ vendor: 'julis', quantity: 1, name: 'Käsespätzle' }],
  total: { amount: '23.90', currency: 'EUR' },
}

/** 225 orders of which half are past the cutoff of two days, under keys that do or do not carry their time. */
async function storeWith225(withTimeInKey: boolean) {
  const parts = await setUp()
  const commands = Array.from({ length: 225 }, (_, at) => {
    const createdAtMs = NOW - (at % 2 === 0 ? 0 : 4 * 86_400_000 + 86_400_000)
    const id = createOrderId({ source: 'x', sourceId: String(at), createdAtMs }, createdAtMs)
    const value = JSON.stringify({ status: 'delivered', created_at: new Date(createdAtMs).toISOString() })
    return ['SET', withTimeInKey ? `order:${id}` : `order:${at}`, value] as const
  })
  await parts.connection.send(commands)
  return parts
}

const sweepCost = async (withTimeInKey: boolean, dryRun: boolean) => {
  const { app, costOf } = await storeWith225(withTimeInKey)
  return await costOf(() => app.sweeps.orders({ trigger: 'cli', dryRun }))
}

/** What each row of the README's cost table does, measured. */
const measured: Readonly<Record<string, () => Promise<number>>> = {
  'reading a held order, listing the held orders': async () => {
    const { app, costOf } = await setUp()
    const { order } = await app.desk.receive(anIntake)
    return await costOf(async () => [await app.orders.read(order.id), app.orders.held()])
  },
  'a health ping': async () => {
    const { app, costOf } = await setUp()
    const server = await createHttpServer({
      log: pino({ level: 'silent' }),
      clock: app.clock,
      onPing: () => {},
      readiness: async () => ({ ready: true, because: null }),
    })
    return await costOf(() => server.inject('/healthz'))
  },
  'a new order': async () => {
    const { app, costOf } = await setUp()
    return await costOf(() => app.desk.receive(anIntake))
  },
  'the same order again': async () => {
    const { app, costOf } = await setUp()
    await app.desk.receive(anIntake)
    return await costOf(() => app.desk.receive(anIntake))
  },
  'a move': async () => {
    const { app, costOf } = await setUp()
    const { order } = await app.desk.receive(anIntake)
    return await costOf(() => app.desk.move(order.id, { to: 'delivered', after: null, by: 1 }))
  },
  'a move while somebody else wrote': async () => {
    const { app, connection, costOf } = await setUp()
    const { order } = await app.desk.receive(anIntake)
    const note = JSON.stringify({ id: 'other', at: '2025-12-08T20:00:00.000Z', by: 2, note: 'rings twice' })
    await connection.send([['APPEND', `order:${order.id}`, `\u001e${note}\n`]])
    return await costOf(() => app.desk.move(order.id, { to: 'delivered', after: null, by: 1 }))
  },
  'a dry run over 225 orders': () => sweepCost(false, true),
  'a sweep of 225 orders': () => sweepCost(false, false),
  'the same with ids that carry their time': () => sweepCost(true, false),
}

const commandsToldTo = (who: string) =>
  tableRows(readme, 'in the chat')
    .filter(([, whom]) => whom === who)
    .map(([command]) => codeIn(command))

const routesIn = (path: string) =>
  [...documentText(path).matchAll(/app\.(get|post)\(\s*'([^']+)'/g)].map(
    ([, method = '', route = '']) => `${method.toUpperCase()} ${route}`,
  )

describe('README.md', () => {
  it('tells the true cost of each action', async () => {
    const told = tableRows(readme, 'action')
    for (const [action = '', commands] of told) {
      expect({ action, commands: await measured[action]?.() }).toEqual({ action, commands: Number(commands) })
    }
    expect(told.map(([action]) => action)).toEqual(Object.keys(measured))
  })

  it('names variables that exist, with the defaults that docs/configuration.md tells', () => {
    // A default that follows from others is told as a formula there and as its usual value here.
    const told = tableRows(readme, 'variable').filter(([name]) => codeIn(name) !== 'ORDER_TTL_DAYS')
    for (const [name, value] of told) {
      expect(variableNames).toContain(codeIn(name))
      expect(codeIn(value)).toBe(documentedDefaults.get(codeIn(name)))
    }
    expect(readConfig({}).orderTtlDays).toBe(7)
  })

  it('names every command of the CLI and no other', async () => {
    const told = tableRows(readme, 'command').map(([command]) => codeIn(command))
    for (const command of told) {
      const words = command
        .split(' ')
        .slice(1)
        .filter((word) => !word.startsWith('<'))
      expect(await help(...words)).toContain(`Usage: orderly ${words[0]}`)
    }
    const top = [...(await help()).matchAll(/^ {2}([a-z][a-z-]*) .*$/gm)].map(([, name]) => name)
    expect(new Set(told.map((command) => command.split(' ')[1]))).toEqual(
      new Set(top.filter((name) => name !== 'orderly')),
    )
    const orders = [...(await help('orders')).matchAll(/^ {2}([a-z][a-z-]*) .*$/gm)].map(([, name]) => name)
    expect(
      told.filter((command) => command.startsWith('orderly orders ')).map((command) => command.split(' ')[2]),
    ).toEqual(orders)
  })

  it('names every command of the bot, and who may give it', () => {
    const source = documentText('src/telegram/start.ts')
    const commandsOf = (list: string) => {
      const [, text = ''] = new RegExp(`const ${list}[^=]*= \\[([^]*?)\\n\\]`).exec(source) ?? []
      return [...text.matchAll(/command: '([a-z]+)'/g)].map(([, name]) => `/${name}`)
    }
    expect(commandsOf('PUBLIC_COMMANDS').length).toBeGreaterThan(0)
    expect(commandsToldTo('everybody')).toEqual(commandsOf('PUBLIC_COMMANDS'))
    expect(commandsToldTo('admins')).toEqual(commandsOf('ADMIN_COMMANDS'))
  })

  it('names what the blueprint asks for', () => {
    const asked = [...documentText('render.yaml').matchAll(/key: ([A-Z_]+)\n\s+sync: false/g)].map(([, name]) => name)

    expect(tableRows(readme, 'value').map(([name]) => codeIn(name))).toEqual(asked)
  })

  it('shows a card as the bot shows it', async () => {
    const { app } = await setUp()
    const { order } = await app.desk.receive({
      ...anIntake,
      source_id: '2025-12-08/17',
      customer: { name: 'Lena Huber', phone: '+49 851 12345', address: 'Grabengasse 7, 94032 Passau' },
      payment: 'cash',
    })
    const { text, keyboard } = cardOf(order, { zone: 'Europe/Berlin', nowMs: NOW, undoMs: 0, nameOf: String })

    const [, picture = '', button = ''] = /```\n(🆕[^`]*)\n +\[ (.*) \]\n```/u.exec(readme) ?? []
    expect(text).toBe(picture)
    expect(keyboard.inline_keyboard.flat().map((key) => key.text)).toEqual([button])
  })

  it('is not longer than 250 lines', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(251)
  })

  it('lists every folder of src', () => {
    const src = fileURLToPath(new URL('../src', import.meta.url))
    const folders = readdirSync(src).filter((name) => statSync(`${src}/${name}`).isDirectory())
    expect(tableRows(readme, 'folder').map(([folder]) => codeIn(folder))).toEqual(folders.map((name) => `src/${name}`))
  })

  it('keeps and sweeps what its table says', async () => {
    const { app, connection } = await setUp()
    const old = '2025-12-05T12:00:00+01:00'
    const justNow = { id: 'a', at: '2025-12-08T20:50:00.000+01:00', by: 1, after: null, move: 'delivered' }
    const values = {
      finished: `{"status":"delivered","created_at":"${old}"}`,
      open: `{"status":"new","created_at":"${old}"}`,
      moved: `{"status":"new","created_at":"${old}"}\u001e${JSON.stringify(justNow)}\n`,
      unknown: `{"status":"paused","created_at":"${old}"}`,
      timeless: '{"status":"delivered"}',
    }
    await connection.send(Object.entries(values).map(([id, value]) => ['SET', `order:${id}`, value] as const))
    await app.sweeps.orders({ trigger: 'cli', dryRun: false, days: 2 })
    const left = await Promise.all(
      Object.keys(values).map(async (id) => (await app.orders.read(orderIdOf(`order:${id}`)))?.id),
    )
    expect(left.filter(Boolean)).toEqual(['open', 'moved', 'timeless'])
    expect(tableRows(readme, 'order')).toHaveLength(4)
  })

  it('quotes messages that Orderly really says', async () => {
    const { app } = await setUp()
    const service = documentText('src/service.ts')
    const webhooks = documentText('src/http/webhooks.ts')
    const said = [
      service,
      service,
      webhooks,
      webhooks,
      unreachable('no answer within 10 s').message,
      refusal('GET', 'ERR max requests limit exceeded. Limit: 500000, Usage: 500000.').message,
      `would delete ${(await app.sweeps.orders({ trigger: 'cli', dryRun: true })).report.due}`,
    ]
    expect(tableRows(readme, 'symptom')).toHaveLength(said.length)
    for (const [at, [symptom]] of tableRows(readme, 'symptom').entries()) expect(said[at]).toContain(codeIn(symptom))
  })
})

describe('docs/sweeps.md', () => {
  it('names every option of `orderly sweep`', async () => {
    const options = [...(await help('sweep')).matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, name]) => name)
    expect(new Set(tableRows(sweepsPage, 'option').map(([option]) => codeIn(option).split(' ')[0]))).toEqual(
      new Set(options),
    )
  })

  it('tells the cutoffs of 8 December 2025 in Berlin', () => {
    for (const [days, cutoff = ''] of tableRows(sweepsPage, 'days')) {
      const { cutoffMs } = calendarCutoffs({ days: Number(days), zone: 'Europe/Berlin' }, NOW)
      expect(cutoffMs).toBe(Date.parse(cutoff))
    }
  })
})

describe('docs/deploy.md and docs/intake.md', () => {
  it('name every route', () => {
    const routes = new Set([...routesIn('src/http/health.ts'), ...routesIn('src/http/webhooks.ts')])
    const told = tableRows(documentText('docs/deploy.md'), 'route').map(([route]) => codeIn(route))

    expect(new Set(told)).toEqual(routes)
  })

  it('tell every status that intake answers with', async () => {
    const token = 'x'.repeat(16)
    const { app } = await setUp()
    const server = (isOn: boolean) =>
      createHttpServer({
        log: pino({ level: 'silent' }),
        clock: app.clock,
        onPing: () => {},
        readiness: async () => ({ ready: true, because: null }),
        ...(isOn && { intake: { token, receive: app.desk.receive } }),
      })
    const [on, off] = [await server(true), await server(false)]
    const send = async (payload: string, headers: Readonly<Record<string, string>> = {}, to = on) => {
      const all = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers }
      return (await to.inject({ method: 'POST', url: '/intake/orders', headers: all, payload })).statusCode
    }
    const order = JSON.stringify(anIntake)
    const answered = [
      await send(order),
      await send(order),
      await send('{'),
      await send(order, { authorization: 'Bearer no' }),
      await send(order, {}, off),
      await send(JSON.stringify('x'.repeat(300_000))),
      await send(order, { 'content-type': 'text/plain' }),
      await send('{}'),
    ]
    const told = tableRows(documentText('docs/intake.md'), 'answer').map(([status]) => Number(status))

    expect(told).toEqual([...answered, 503])
  })

  it('show an order that is taken in', async () => {
    const { app } = await setUp()
    const [, example = ''] = /```json\n([^`]*)```/.exec(documentText('docs/intake.md')) ?? []

    expect((await app.desk.receive(JSON.parse(example))).outcome).toBe('received')
  })
})
