import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe } from 'vitest'
import { endWithUs } from './end-with-us.ts'
import { ended, hasEnded } from './ended.ts'
import { startSomewhere } from './free-port.ts'
import { postgresAccount, postgresPrograms } from './postgres-programs.ts'

export interface PostgresServerOptions {
  /** Sorts as ICU does it for this locale, such as `en-US`; without one, by bytes. */
  readonly icuLocale?: string
  /** Settings of the server, such as `{ max_connections: '10' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A PostgreSQL server of our own on the loopback interface. */
export interface PostgresServer {
  /** Of the database `postgres`, with the password: `postgresql://orderly:...@127.0.0.1:...`. */
  readonly url: string
  /** Creates a database and resolves with its URL: an empty one, or a copy of one that nobody is connected to. */
  createDatabase(options?: { readonly from?: string }): Promise<string>
  /** Ends every process of the server and removes its directory. */
  stop(): Promise<void>
  /** Sends a signal to every process of the server, its open sessions included. */
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** Ends the server, if it still runs, and starts it again at the same port with what was committed. */
  restart(): Promise<void>
}

const USER = 'orderly'

/** Whether a PostgreSQL server can be started here. */
export const hasPostgres = postgresPrograms !== undefined && postgresAccount !== undefined

/** A suite that starts a PostgreSQL server. Skipped where none is installed. */
export function describeWithPostgres(title: string, suite: () => void) {
  const run = hasPostgres ? describe : describe.skip
  run(title, suite)
}

/** Starts a server that keeps nothing safe from a power cut, in a directory of its own. It ends when we do, at the latest. */
export async function startPostgresServer(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), 'orderly-postgres-'))
  const password = randomBytes(12).toString('hex')
  initialize(directory, { password, options })
  let { port, child } = await startSomewhere((at) => startAt(at, directory, options))
  const urlOf = (database: string) => `postgresql://${USER}:${password}@127.0.0.1:${port}/${database}`
  const url = urlOf('postgres')
  let count = 0
  let frozen: readonly number[] = []
  const endIt = async () => {
    send('SIGCONT', frozen)
    frozen = []
    await end(child)
  }
  return {
    url,
    createDatabase: async ({ from } = {}) => {
      const name = `store_${(count += 1)}`
      const template = from === undefined ? 'template0' : new URL(from).pathname.slice(1)
      await withClient(url, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE "${template}"`))
      return urlOf(name)
    },
    stop: async () => {
      await endIt()
      rmSync(directory, { recursive: true, force: true })
    },
    kill: async (signal) => {
      if (frozen.length === 0) frozen = await freeze(child, url)
      if (signal === 'SIGSTOP') return
      send(signal, [...frozen, child.pid ?? 0])
      frozen = []
      if (signal === 'SIGKILL') await ended(child)
    },
    restart: async () => {
      await endIt()
      child = await startAgain(port, directory, options)
    },
  }
}

async function withClient<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

function initialize(directory: string, given: { readonly password: string; readonly options: PostgresServerOptions }) {
  const { icuLocale } = given.options
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, given.password, { mode: 0o600 })
  if (typeof postgresAccount === 'object') {
    chownSync(directory, postgresAccount.uid, postgresAccount.gid)
    chownSync(passwordFile, postgresAccount.uid, postgresAccount.gid)
  }
  const words = ['--pgdata', join(directory, 'data'), '--no-sync', '--username', USER, '--encoding', 'UTF8']
  words.push('--auth', 'scram-sha-256', '--pwfile', passwordFile, '--locale', 'C')
  if (icuLocale !== undefined) words.push('--locale-provider', 'icu', '--icu-locale', icuLocale)
  execFileSync(program('initdb'), words, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], ...identity() })
  rmSync(passwordFile)
}

const program = (name: string) => join(postgresPrograms ?? '', name)

const identity = () => (typeof postgresAccount === 'object' ? postgresAccount : {})

/** The port and the shared memory are free as soon as the last process of a killed server has noticed. */
async function startAgain(port: number, directory: string, options: PostgresServerOptions): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startAt(port, directory, options)
    } catch (error) {
      if (attempt === 50) throw error
    }
  }
}

async function startAt(port: number, directory: string, options: PostgresServerOptions): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    lc_messages: 'C',
    fsync: 'off',
    full_page_writes: 'off',
    ...options.settings,
  }
  const words = ['-D', join(directory, 'data'), '-p', String(port)]
  for (const [name, value] of Object.entries(settings)) words.push('-c', `${name}=${value}`)
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  const child = spawn(program('postgres'), words, { cwd: directory, stdio: [...stdio], ...identity() })
  endWithUs(child, directory)
  await untilReady(child)
  return child
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`PostgreSQL ended before it was ready:\n${output}`)))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      // Read to the end, or the server would stop at a full pipe.
      if (output.length < 20_000) output += text
      if (output.includes('ready to accept connections')) resolve()
    })
  })
}

/** Stops the server first, so that it starts no further session, and then the sessions; resolves with their ids. */
async function freeze(child: ChildProcess, url: string): Promise<number[]> {
  return await withClient(url, async (client) => {
    child.kill('SIGSTOP')
    const { rows } = await client.query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
    )
    const sessions = rows.map(({ pid }) => pid)
    send('SIGSTOP', sessions)
    return sessions
  })
}

function send(signal: NodeJS.Signals, pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  child.kill('SIGCONT')
  child.kill('SIGINT')
  const force = setTimeout(() => child.kill('SIGQUIT'), 5_000)
  await ended(child)
  clearTimeout(force)
}
