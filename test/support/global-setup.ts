import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.ts'
import { chromiumPath } from './chromium.ts'
import { hasDockerCompose } from './docker-compose.ts'
import { hasPostgres } from './postgres-server.ts'
import { hasRedisServer, redisAvailable } from './redis-server.ts'

/** Builds, and says loudly what cannot be tested without other programs; under CI that is an error. */
export function setup() {
  build()
  const [what = '', sign = ''] = redisAvailable
    ? ['Suites that need a server of their own', 'startRedisServer']
    : ['Suites that need Redis', 'describeWithRedis']
  if (!hasRedisServer) skip(what, sign, 'redis-server')
  if (!hasPostgres) skip('Suites that need PostgreSQL', 'describeWithPostgres', 'postgres')
  if (!hasDockerCompose) skip('Suites that need docker-compose', 'describeWithCompose', 'docker-compose')
  if (chromiumPath === undefined) skip('Suites that need a browser', 'chromiumPath', 'chromium')
}

function skip(what: string, sign: string, program: string): void {
  const message = `${what} are SKIPPED, because ${program} is not installed: ${suitesWith(sign).join(', ')}`
  if (process.env['CI'] === 'true') throw new Error(message)
  console.warn(`\n!!! ${message}\n`)
}

function suitesWith(sign: string): string[] {
  const root = join(import.meta.dirname, '..')
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => readFileSync(join(root, name), 'utf8').includes(sign))
    .toSorted()
}
