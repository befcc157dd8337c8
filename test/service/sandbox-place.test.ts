import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { atTheEnd, botToken, startService } from '../support/service-process.ts'

it.concurrent.each([
  [{ NODE_ENV: 'production' }, [], 1, 'TELEGRAM_BOT_TOKEN is required'],
  [{ RENDER: 'true' }, [], 1, 'TELEGRAM_BOT_TOKEN is required'],
  [{ HOST: '0.0.0.0' }, [], 1, 'HOST must be 127.0.0.1, localhost or ::1 without TELEGRAM_BOT_TOKEN'],
  [{ HOST: '::' }, [], 1, 'HOST must be'],
  [{ HOST: '0.0.0.0', NODE_ENV: 'production' }, [], 1, /TELEGRAM_BOT_TOKEN is required[^]*HOST must be/],
  [{ TELEGRAM_BOT_TOKEN: botToken }, ['--seed'], 1, '--seed is for the sandbox only'],
  [{}, ['--nonsense'], 2, /^Usage: .*\n.*--seed/],
  [{}, ['nonsense'], 2, /^Usage: /],
  [{}, ['--seed=yes'], 2, /^Usage: /],
] as const)('%j %j is refused', async (env, args, code, message) => {
  const end = await startService(env, { args }).ended

  expect(end).toMatchObject({ code, stdout: '' })
  expect(end.stderr).toMatch(message)
  expect(end.stderr).not.toContain('    at ')
})

it('a port that is taken is refused', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  atTheEnd(() => void server.close())
  const address = server.address()
  const port = String(typeof address === 'object' && address !== null ? address.port : 0)

  const end = await startService({ PORT: port }).ended

  expect(end).toMatchObject({ code: 1, stdout: '' })
  expect(end.stderr).toContain('PORT is taken')
})

it.concurrent.each(['localhost', '127.0.0.1', '::1', ''])(
  'listens at %j, which only this machine reaches',
  async (HOST) => {
    const service = startService({ HOST })
    const url = await service.url

    expect((await fetch(url)).status).toBe(200)
    expect(new URL(url).hostname).toMatch(/^(127\.0\.0\.1|\[::1\])$/)
  },
)
