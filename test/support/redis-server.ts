import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { ended, hasEnded } from './ended.ts'
import { startSomewhere } from './free-port.ts'
import { openResp, textReply } from './resp.ts'

export interface RedisServerOptions {
  readonly password?: string
  /** Keeps what was written across `restart()`. @default false */
  readonly appendOnly?: boolean
  /** Further words of the command line, such as `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[]
}

/** A redis-server of our own on the loopback interface. */
export interface RedisServer {
  readonly port: number
  /** With the password, where there is one. */
  readonly url: string
  /** Of the process that runs now. */
  readonly pid: number
  /** Ends the process and removes its directory. */
  stop(): Promise<void>
  /** Sends a signal; resolves after the process has ended where the signal is SIGKILL. */
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** Ends the process, if it still runs, and starts another on the same port. */
  restart(): Promise<void>
  /** Calls of each command since the start or `resetStats()`, by upper-case name without subcommand. */
  stats(): Promise<Readonly<Record<string, number>>>
  /** Asking for statistics adds AUTH, CONFIG and INFO only. */
  resetStats(): Promise<void>
}

/** Whether `redis-server` is on the PATH. */
export const hasRedisServer = spawnSync('redis-server', ['--version']).status === 0

/** Whether there is any Redis to test with: a `redis-server` on the PATH or the one that REDIS_TEST_URL names. */
export const redisAvailable = hasRedisServer || (process.env['REDIS_TEST_URL'] ?? '') !== ''

/** Starts a redis-server without persistence, in a directory of its own. It ends with this process at the latest. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'orderly-redis-'))
  let { port, child } = await startSomewhere((at) => startAt(at, directory, options))
  const url = `redis://${options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`}127.0.0.1:${port}`
  return {
    port,
    url,
    get pid() {
      return child.pid ?? 0
    },
    stop: async () => {
      await end(child)
      rmSync(directory, { recursive: true, force: true })
    },
    kill: async (signal) => {
      child.kill(signal)
      if (signal === 'SIGKILL') await ended(child)
    },
    restart: async () => {
      await end(child)
      child = await startAt(port, directory, options)
    },
    stats: async () => statsIn(await askOnce(url, ['INFO', 'commandstats'])),
    resetStats: async () => {
      await askOnce(url, ['CONFIG', 'RESETSTAT'])
    },
  }
}

/** A Redis for a suite that needs no server of its own. */
export interface TestRedis {
  readonly url: string
  /** Empties the database that the url names, and no other. */
  flush(): Promise<void>
  stop(): Promise<void>
}

/** A server of our own, or, where none is installed, the database that REDIS_TEST_URL names. */
export async function testRedis(): Promise<TestRedis> {
  const server = hasRedisServer ? await startRedisServer() : undefined
  const url = server?.url ?? process.env['REDIS_TEST_URL'] ?? ''
  return {
    url,
    flush: async () => {
      await askOnce(url, ['FLUSHDB'])
    },
    stop: async () => server?.stop(),
  }
}

/**
 * A suite that starts a redis-server of its own; `{ own: false }` where any Redis will do, through `testRedis()`.
 * Skipped where there is none.
 */
export function describeWithRedis(title: string, suite: () => void, { own = true }: { readonly own?: boolean } = {}) {
  const run = (own ? hasRedisServer : redisAvailable) ? describe : describe.skip
  run(title, suite)
}

async function askOnce(url: string, command: readonly string[]): Promise<unknown> {
  const connection = await openResp(url)
  try {
    const [reply = null] = await connection.call([command])
    return textReply(reply)
  } finally {
    connection.close()
  }
}

function statsIn(text: unknown): Record<string, number> {
  const stats: Record<string, number> = {}
  for (const [, name = '', calls] of String(text).matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm)) {
    const command = name.toUpperCase()
    if (Number(calls) > 0) stats[command] = (stats[command] ?? 0) + Number(calls)
  }
  return stats
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

async function startAt(port: number, directory: string, options: RedisServerOptions): Promise<ChildProcess> {
  const { password, appendOnly = false, args = [] } = options
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  words.push(...(appendOnly ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']))
  if (password !== undefined) words.push('--requirepass', password)
  const child = spawn('redis-server', [...words, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  await untilReady(child)
  return child
}

/** Resolves when a redis-server takes connections; rejects with what it said when it ended instead. */
export function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server ended before it was ready:\n${output}`)))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      // Read to the end, or the server would stop at a full pipe.
      if (output.length < 20_000) output += text
      if (output.includes('Ready to accept connections')) resolve()
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  child.kill('SIGCONT')
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 2_000)
  await ended(child)
  clearTimeout(force)
}
