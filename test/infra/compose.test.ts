import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { composed, type ComposeOptions, describeWithCompose, type Service } from '../support/docker-compose.ts'
import { documentText } from '../support/markdown.ts'
import { APPLICATION_PASSWORD, startOwnServer } from '../support/own-server.ts'
import { hasRedisServer } from '../support/redis-server.ts'
import { isExecutable } from '../support/executable.ts'

const env = { REDIS_PASSWORD: 'x' }

/** What the shells, addresses and files of this world take for something else. */
const PASSWORD = `a b"c$d{e}%f#g@h:i/j\\k`

/** Where the port of a service is published, and which one it is inside. */
const portsOf = ({ ports = [] }: Service) =>
  ports.map((port) =>
    typeof port === 'string' ? port.replace('/tcp', '') : `${port.host_ip}:${port.published}:${port.target}`,
  )

const inSeconds = (text: string) => text.replace(/^1m(0s)?$/, '60s')

function composedRedis(options: ComposeOptions): Service {
  const { redis } = composed(options)
  if (redis === undefined) throw new Error('There is no Redis.')
  return redis
}

describeWithCompose('compose.yaml', () => {
  it('starts Redis alone, unless a profile is named', () => {
    const services = composed({ env, profiles: ['orderly', 'inngest'] })

    expect(Object.entries(services).map(([name, { profiles = [] }]) => `${name}: ${profiles.join()}`)).toEqual(
      expect.arrayContaining(['redis: ', 'orderly: orderly', 'inngest-cleaner: inngest']),
    )
    expect(Object.keys(services)).toHaveLength(3)
  })

  it.each([{}, { dotEnv: 'REDIS_PASSWORD=\nREDIS_ADMIN_PASSWORD=x\n' }])(
    'refuses to begin without REDIS_PASSWORD, and says so (%j)',
    (options) => {
      expect(() => composed(options)).toThrow('Set REDIS_PASSWORD in .env or in the environment')
    },
  )

  it.each([
    ['the environment, without any .env', { env: { REDIS_PASSWORD: PASSWORD } }],
    ['.env, in single quotes', { dotEnv: `REDIS_PASSWORD='${PASSWORD}'\n` }],
  ])('hands on every character of a password from %s, to Redis and to Orderly', (_, options) => {
    const { redis, orderly } = composed({ ...options, profiles: ['orderly'] })

    expect([redis, orderly].map((service) => service?.environment['REDIS_PASSWORD'])).toEqual([PASSWORD, PASSWORD])
  })

  it('keeps Redis to this machine, its data in a named volume and its log short, and gives it time to end', () => {
    const redis = composedRedis({ env })

    const volumes = redis.volumes?.map((one) => (typeof one === 'string' ? one : `${one.source}:${one.target}`))
    expect(portsOf(redis)).toEqual(['127.0.0.1:6379:6379'])
    expect(volumes?.map((text) => text.replace(/:r[ow]$/, ''))).toContain('redis:/data')
    expect([redis.restart, inSeconds(redis.stop_grace_period)]).toEqual(['unless-stopped', '60s'])
    expect(redis.logging.options).toEqual({ 'max-size': '10m', 'max-file': '3' })
  })

  it('gives Orderly the settings of .env, the user who cannot flush, and nothing of the administrator', () => {
    const dotEnv = [
      'TELEGRAM_BOT_TOKEN=123:abc',
      'REDIS_HOST=127.0.0.1',
      'REDIS_PORT=6380',
      'REDIS_PASSWORD=x',
      'REDIS_ADMIN_PASSWORD=secret',
    ].join('\n')

    const { redis, ...others } = composed({ dotEnv, profiles: ['orderly', 'inngest'] })

    expect(redis === undefined ? [] : portsOf(redis)).toEqual(['127.0.0.1:6380:6379'])
    for (const name of ['orderly', 'inngest-cleaner']) {
      const { [name]: service } = others
      const { TELEGRAM_BOT_TOKEN, REDIS_HOST, REDIS_PORT, REDIS_USERNAME } = service?.environment ?? {}
      expect([TELEGRAM_BOT_TOKEN, REDIS_HOST, String(REDIS_PORT), REDIS_USERNAME]).toEqual([
        '123:abc',
        'redis',
        '6379',
        'orderly',
      ])
      expect(JSON.stringify(service)).not.toContain('secret')
    }
  })
})

describeWithCompose('the Redis of compose.yaml', () => {
  it.runIf(hasRedisServer)('runs as it is started there, and is found healthy by its own check', async () => {
    const { command = [], healthcheck } = composedRedis({ env: { REDIS_PASSWORD: APPLICATION_PASSWORD } })
    expect(command.slice(0, 4)).toEqual(['sh', '/usr/local/etc/redis/start.sh', '--dir', '/data'])
    const server = await startOwnServer({ args: command.slice(4), env: { REDIS_PASSWORD: APPLICATION_PASSWORD } })
    try {
      const [shell, check = ''] = healthcheck?.test ?? []
      const here = check.replace('redis-cli', `redis-cli -p ${server.port}`)
      const statusWith = (password: string) =>
        spawnSync('sh', ['-c', here], { env: { PATH: process.env['PATH'], REDIS_PASSWORD: password } }).status

      expect(shell).toBe('CMD-SHELL')
      expect([statusWith(APPLICATION_PASSWORD), statusWith('wrong')]).toEqual([0, 1])
      await server.kill()
      expect(statusWith(APPLICATION_PASSWORD)).toBe(1)
    } finally {
      await server.stop()
    }
  })

  it('finds in the repository the files that it is given', () => {
    const [, folder = ''] = /- (\S+):\/usr\/local\/etc\/redis:ro$/m.exec(documentText('compose.yaml')) ?? []

    expect(folder).toBe('./infra/redis')
    expect(isExecutable(new URL(`../../${folder}/start.sh`, import.meta.url).pathname)).toBe(true)
  })
})

describe('the npm scripts', () => {
  const { scripts } = JSON.parse(documentText('package.json')) as { readonly scripts: Readonly<Record<string, string>> }

  it('start, stop and show the Redis of compose.yaml', () => {
    expect(['up', 'down', 'logs'].map((word) => scripts[`redis:${word}`]?.split(' ').slice(0, 3))).toEqual(
      ['up', 'down', 'logs'].map((word) => ['docker', 'compose', word]),
    )
  })
})
