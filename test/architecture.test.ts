import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dissect, violations } from './support/house-rules.ts'

const root = join(import.meta.dirname, '../src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(root, path), 'utf8') }))

/** Ways from a text to markup, code or inline style. */
const MARKUP_OF_TEXT =
  /\.(inner|outer)HTML\b|insertAdjacentHTML|document\.write|createContextualFragment|\beval\(|new Function\b|setAttribute\(\s*'(style|on)/

describe('the source', () => {
  it('keeps every rule of the house', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(files.flatMap(violations)).toEqual([])
  })

  it('is TypeScript only, but for the chat page and the thread that renders, so that no file escapes the rules', () => {
    const others = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (path) => /\.(js|mjs|cjs|mts|cts|tsx|jsx)$/.test(path) && !path.startsWith('sandbox/page/'),
    )

    expect(others).toEqual(['charts/render-worker.mjs'])
  })

  it('of the chat page never makes markup or code of a text, and stays small', () => {
    const folder = join(root, 'sandbox/page')
    const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'))
    const broken = scripts.filter((name) => {
      const text = readFileSync(join(folder, name), 'utf8')
      return MARKUP_OF_TEXT.test(text) || /\b(TODO|FIXME|XXX)\b/.test(text) || text.split('\n').length > 301
    })

    expect(scripts.length).toBeGreaterThan(5)
    expect(broken).toEqual([])
  })
})

const inConnect = (text: string) => violations({ path: 'redis/connect.ts', text })

describe('the checker of imports', () => {
  it.each([
    ['clock.ts', './errors.ts'],
    ['calendar.ts', './clock.ts'],
    ['errors.ts', './config.ts'],
    ['config.ts', './clock.ts'],
    ['log.ts', './config.ts'],
    ['redis/meter.ts', '../orders/order.ts'],
    ['redis/meter.ts', '../app.ts'],
    ['redis/memory/twins.ts', '../../sweeps/sweep.ts'],
    ['orders/desk.ts', '../sweeps/retention.ts'],
    ['orders/desk.ts', '../app.ts'],
    ['orders/desk.ts', '../cli/run.ts'],
    ['sweeps/sweep.ts', '../app.ts'],
    ['sweeps/sweep.ts', '../telegram/bot.ts'],
    ['sweeps/order-pruner.ts', './alerts/alert-sweep.ts'],
    ['sweeps/alerts/alert-sweep.ts', '../order-pruner.ts'],
    ['sweeps/alerts/alert-sweep.ts', '../errors/error-sweep.ts'],
    ['telegram/bot.ts', '../http/server.ts'],
    ['http/server.ts', '../telegram/bot.ts'],
    ['telegram/bot.ts', '../redis/meter.ts'],
    ['telegram/bot.ts', '../service.ts'],
    ['telegram/bot.ts', '../app.ts'],
    ['http/server.ts', '../redis/connect.ts'],
    ['http/server.ts', '../service-bot.ts'],
    ['schedule/scheduler.ts', '../orders/desk.ts'],
    ['schedule/scheduler.ts', '../sweeps/sweep.ts'],
    ['schedule/scheduler.ts', '../scheduled-sweep.ts'],
    ['sweeps/sweep.ts', '../schedule/scheduler.ts'],
    ['lifecycle.ts', './errors.ts'],
    ['orders/desk.ts', '../lifecycle.ts'],
    ['utils/misc.ts', './more.ts'],
    ['redis/meter.ts', 'ioredis'],
    ['redis/tcp.ts', '@upstash/redis'],
    ['orders/desk.ts', 'grammy'],
    ['sweeps/sweep.ts', 'croner'],
    ['scheduled-sweep.ts', 'croner'],
    ['telegram/bot.ts', 'croner'],
    ['sweeps/sweep.ts', 'fastify'],
    ['service.ts', 'fastify'],
    ['service.ts', '@fastify/helmet'],
    ['telegram/bot.ts', 'fastify'],
    ['service-bot.ts', 'grammy'],
    ['service-bot.ts', 'grammy/types'],
    ['http/webhooks.ts', 'grammy/types'],
    ['http/webhooks.ts', '@grammyjs/auto-retry'],
    ['orders/desk.ts', 'pg'],
  ])('reports %s with %s, however it is imported', (path, from) => {
    for (const text of [
      `import { a } from '${from}'`,
      `import type { A } from '${from}'`,
      `import {\n  type A,\n  b,\n} from '${from}'`,
      `import * as a from '${from}'`,
      `import '${from}'`,
      `export { a } from '${from}'`,
      `export * from '${from}'`,
      `const a = await import('${from}')`,
      `const a = await import(\n  '${from}'\n)`,
    ]) {
      expect(violations({ path, text })).not.toEqual([])
    }
  })

  it.each([
    ['config.ts', './errors.ts'],
    ['log.ts', './errors.ts'],
    ['log.ts', './events.ts'],
    ['redis/memory/twins.ts', '../scripts.ts'],
    ['redis/lock.ts', '../clock.ts'],
    ['orders/order.ts', '../redis/keys.ts'],
    ['orders/order.ts', '../errors.ts'],
    ['sweeps/order-pruner.ts', '../orders/order.ts'],
    ['sweeps/order-pruner.ts', './order-verdict.ts'],
    ['sweeps/order-pruner.ts', './report.ts'],
    ['sweeps/alerts/alert-sweep.ts', '../sweep.ts'],
    ['sweeps/alerts/alert-sweep.ts', './keys.ts'],
    ['cli/run.ts', '../app.ts'],
    ['main.ts', './app.ts'],
    ['main.ts', './service.ts'],
    ['service.ts', './http/server.ts'],
    ['service.ts', './lifecycle.ts'],
    ['service-bot.ts', './telegram/bot.ts'],
    ['scheduled-sweep.ts', './schedule/scheduler.ts'],
    ['cli/schedule.ts', '../schedule/cadence.ts'],
    ['telegram/bot.ts', '../sweeps/report.ts'],
    ['http/webhooks.ts', '../orders/desk.ts'],
    ['telegram/bot.ts', 'grammy'],
    ['telegram/bot.ts', '@grammyjs/auto-retry'],
    ['http/server.ts', '@fastify/helmet'],
    ['schedule/scheduler.ts', 'croner'],
    ['app.ts', './orders/desk.ts'],
    ['redis/tcp.ts', 'ioredis'],
    ['redis/upstash.ts', '@upstash/redis'],
    ['orders/instant.ts', 'luxon'],
  ])('lets %s import %s', (path, from) => {
    expect(violations({ path, text: `import { a } from '${from}'` })).toEqual([])
  })

  it('lets a part import types only from where it may use no values', () => {
    expect(inConnect("import type { Config } from '../config.ts'")).toEqual([])
    expect(inConnect("import { type Config, type RedisTarget } from '../config.ts'")).toEqual([])
    expect(inConnect("import { readConfig } from '../config.ts'")).toEqual(['redis/connect.ts: imports config.ts'])
    expect(inConnect("import { type Config, readConfig } from '../config.ts'")).toEqual([
      'redis/connect.ts: imports config.ts',
    ])
  })

  it('does not mind imports in comments and texts', () => {
    const text =
      "// import { a } from '../app.ts'\n/* import '../app.ts' */\nconst help = \"import { a } from '../app.ts'\"\n"

    expect(violations({ path: 'orders/desk.ts', text })).toEqual([])
  })
})

describe('the checker of words', () => {
  it.each([
    ['the environment', 'const zone = process.env.TIME_ZONE'],
    ['the environment', "const zone = process.env['TIME_ZONE']"],
    ['the environment', 'const zone = `${process.env.TIME_ZONE}`'],
    ['the real clock', 'const now = Date.now()'],
    ['the real clock', 'const now = new Date()'],
    ['the real clock', 'const now = performance.now()'],
    ['the real clock', 'const now = DateTime.now()'],
    ['the real clock', 'const now = DateTime.local()'],
    ['the real clock', 'const now = process.hrtime.bigint()'],
    ['any', 'const a: any = 1'],
    ['any', 'const a = b as any'],
    ['any', 'const a = new Map<string, any>()'],
    ['a non-null assertion', 'const a = b!'],
    ['a non-null assertion', 'const a = b!.c'],
    ['a non-null assertion', 'const a = b[0]!'],
    ['a non-null assertion', 'const a = b()!.c'],
    ['an enum', 'enum Status { New }'],
    ['an enum', 'export const enum Status { New }'],
    ['a default export', 'export default 1'],
    ['a default export', 'export { a as default }'],
    ['a note of something to do', '// TODO: later'],
    ['a note of something to do', 'const a = 1 // FIXME'],
    ['a key of our own', "const key = 'order:' + id"],
    ['a key of our own', 'const key = `order:${id}`'],
    ['a key of our own', 'const key = "orderly:lock:orders"'],
    ['a key of our own', "const key = `${a}` + `orderly:${b ? `x` : 'y'}`"],
    ['more than 300 lines', 'const a = 1\n'.repeat(301)],
  ])('reports %s: %s', (what, text) => {
    expect(violations({ path: 'orders/made-up.ts', text })).toEqual([`orders/made-up.ts: ${what}`])
  })

  it.each([
    ['cli.ts', 'const env = process.env'],
    ['main.ts', 'const env = process.env'],
    ['clock.ts', 'const now = Date.now()'],
    ['redis/keys.ts', "const key = 'order:'"],
    ['orders/a.ts', '// any order may be new Date(), see process.env; b! is not said'],
    ['orders/a.ts', "const a = 'Is there any? Yes! process.env, enum x'"],
    ['orders/a.ts', 'const a = `any ${b} Date.now()`'],
    ['orders/a.ts', 'const a = !b && b !== c && b != null && !!c'],
    ['orders/a.ts', "const a = /any'[/']x!y/.test(b) ? 'a' : `b`"],
    ['orders/a.ts', 'const a = new Date(ms)\nconst b = DateTime.utc(2025, 1, 1)'],
    ['orders/a.ts', "const event = 'order.deleted'\nconst text = 'An order: one delivery.'"],
    ['orders/a.ts', 'const many = company.anything\nconst a = b / c / d'],
    ['orders/a.ts', 'const a = 1\n'.repeat(300)],
  ])('does not mind in %s: %s', (path, text) => {
    expect(violations({ path, text })).toEqual([])
  })

  it('takes texts apart that hold each other', () => {
    const { code, literals } = dissect("const a = `x${b({ c: `y${'z'}` })}w` // 'no'\nconst d = 'it\\'s' + /'/.source")

    expect(literals).toEqual(['x', 'y', 'z', '', 'w', "it\\'s"])
    expect(code).not.toMatch(/[xyzw]`|no/)
  })
})
