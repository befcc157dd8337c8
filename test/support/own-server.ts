import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { endWithUs } from './end-with-us.ts'
import { ended } from './ended.ts'
import { startSomewhere } from './free-port.ts'
import { untilReady } from './redis-server.ts'
import { openResp, type RespConnection } from './resp.ts'

const root = join(import.meta.dirname, '../..')

/** Passwords with the characters that shells, addresses, Redis' own configuration and compose take for something else. */
export const APPLICATION_PASSWORD = `an app's "p@ss" $HOME:w/ö?rd #%\\ 100%`
export const ADMINISTRATOR_PASSWORD = '--the `admin` & <nobody> else;'

export type OwnUser = 'orderly' | 'default'

export interface OwnServerOptions {
  /** Further words of the command line, such as `['--maxmemory', '8mb']`. */
  readonly args?: readonly string[]
  /** What start.sh finds beside PATH. @default both passwords above */
  readonly env?: Readonly<Record<string, string>>
  /** Starts redis-server with the file itself, and this password: without start.sh. */
  readonly requirepass?: string
}

/** A redis-server with infra/redis/redis.conf, in a new folder. */
export interface OwnServer {
  readonly port: number
  readonly directory: string
  /** Of the process that runs now. */
  readonly pid: number
  /** An address for one of the two users, with the password above. */
  url(user?: OwnUser): string
  /** A connection as one of the two users that is closed with the test. */
  open(user?: OwnUser): Promise<RespConnection>
  /** Resolves when the process has ended. @default SIGKILL */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** Starts it again on the same port and folder. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts the server of one's own through start.sh, as compose does. It ends with this process at the latest. */
export async function startOwnServer(options: OwnServerOptions = {}): Promise<OwnServer> {
  const directory = mkdtempSync(join(tmpdir(), 'orderly-own-redis-'))
  let { port, child } = await startSomewhere((at) => startAt(at, directory, options))
  const passwords = { orderly: APPLICATION_PASSWORD, default: options.requirepass ?? ADMINISTRATOR_PASSWORD }
  const url = (user: OwnUser = 'orderly') => `redis://${user}:${encodeURIComponent(passwords[user])}@127.0.0.1:${port}`
  const kill = async (signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL') => {
    child.kill(signal)
    await ended(child)
  }
  return {
    port,
    directory,
    get pid() {
      return child.pid ?? 0
    },
    url,
    open: async (user) => {
      const connection = await openResp(url(user))
      onTestFinished(() => connection.close())
      return connection
    },
    kill,
    restart: async () => {
      child = await startAt(port, directory, options)
    },
    stop: async () => {
      await kill()
      // A process that still writes a snapshot ends when it finds its folder gone.
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

async function startAt(port: number, directory: string, options: OwnServerOptions): Promise<ChildProcess> {
  const { args = [], requirepass } = options
  const { env = { REDIS_PASSWORD: APPLICATION_PASSWORD, REDIS_ADMIN_PASSWORD: ADMINISTRATOR_PASSWORD } } = options
  const words = ['--port', String(port), '--dir', directory, ...args]
  const [program, ...first] =
    requirepass === undefined
      ? ['sh', 'infra/redis/start.sh', ...words]
      : ['redis-server', 'infra/redis/redis.conf', ...words, '--requirepass', requirepass]
  const child = spawn(program, first, {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  endWithUs(child, directory)
  await untilReady(child)
  return child
}
