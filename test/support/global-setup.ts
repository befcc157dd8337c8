import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.ts'
import { hasRedisServer, redisAvailable } from './redis-server.ts'

/** Builds, and says loudly what cannot be tested without a Redis; under CI that is an error. */
export function setup() {
  build()
  if (hasRedisServer) return
  const [what, sign] = redisAvailable
    ? ['Suites that need a server of their own', 'startRedisServer']
    : ['Suites that need Redis', 'describeWithRedis']
  const message = `${what} are SKIPPED, because redis-server is not on the PATH: ${suitesWith(sign).join(', ')}`
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
