import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, expect } from 'vitest'

/** Whatever holds this word must appear in nothing that a service writes. */
export const SECRET = 'gEheim'

export const botToken = `1234567:TEST-${SECRET}_for-orderly`
export const webhookSecret = `hook-${SECRET}-1`
export const intakeToken = `intake-${SECRET}-token-1`

/** What makes a service take orders in. */
export const intakeEnv = { INTAKE_TOKEN: intakeToken }

const endings: (() => unknown)[] = []

/** Does something when all tests of the file have ended, the latest first; not after each, for they run side by side. */
export const atTheEnd = (ending: () => unknown): void => void endings.push(ending)

afterAll(async () => {
  for (const ending of endings.splice(0).toReversed()) await ending()
}, 30_000)

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly child: ChildProcess
  /** Where it listens; rejects when it ends first. */
  readonly url: Promise<string>
  /** How it ended. */
  readonly ended: Promise<ServiceEnd>
  /** The lines of its log so far. */
  log(): readonly Readonly<Record<string, unknown>>[]
  /** Asks it to end, and resolves when it has. */
  stop(signal?: NodeJS.Signals): Promise<ServiceEnd>
}

export interface ServiceEnd {
  /** Null when a signal ended the process. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface ServiceProcessOptions {
  /** Words of the command line. */
  readonly args?: readonly string[]
  /** Starts it by `npm start`, as people do at a terminal: a signal then goes to npm and its children alike. */
  readonly byNpm?: boolean
}

const root = join(import.meta.dirname, '../..')
const main = join(root, 'dist/main.js')

/**
 * Starts the built service on a free port of the loopback interface, in an empty folder and with nothing else in its
 * environment. In the end it is killed if it still runs, and what it wrote is searched for secrets.
 */
export function startService(
  env: Readonly<Record<string, string>> = {},
  { args = [], byNpm = false }: ServiceProcessOptions = {},
): ServiceProcess {
  const folder = mkdtempSync(join(tmpdir(), 'orderly-service-'))
  const [program = '', ...words] = byNpm ? ['npm', 'start', '--silent', '--'] : [process.execPath, main]
  const child = spawn(program, [...words, ...args], {
    cwd: byNpm ? root : folder,
    detached: byNpm,
    env: { PATH: process.env['PATH'], TZ: 'America/New_York', HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code, signal]): ServiceEnd => ({ code, signal, stdout, stderr }))
  const log = () =>
    stdout.split('\n').flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line)] : []))
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (byNpm && child.pid !== undefined) process.kill(-child.pid, signal)
    else child.kill(signal)
    return await ended
  }
  atTheEnd(async () => {
    if (!hasEnded(child)) await stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
    expect(stdout + stderr).not.toContain(SECRET)
  })
  const url = waitFor(() => {
    if (hasEnded(child)) throw new Error(`The service ended:\n${stdout}${stderr}`)
    return log().find(({ event }) => event === 'service.listening')?.['url']
  }).then(String)
  url.catch(() => undefined)
  return { child, url, ended, log, stop }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

/** What an answer of the service says. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Headers
}

export async function askFor(service: ServiceProcess, path: string): Promise<Answer> {
  return answerOf(await fetch((await service.url) + path, { signal: AbortSignal.timeout(5_000) }))
}

/** Hands an order in. Rejects when no answer came. */
export async function handIn(service: ServiceProcess, order: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${intakeToken}` }
  const request = { method: 'POST', headers, body: JSON.stringify(order), signal: AbortSignal.timeout(35_000) }
  return answerOf(await fetch(`${await service.url}/intake/orders`, request))
}

const answerOf = async (response: Response): Promise<Answer> => ({
  status: response.status,
  body: (await response.json()) as Answer['body'],
  headers: response.headers,
})

let orders = 0

/** An order of just now, with texts of a customer that no log may hold. */
export const anOrderOfNow = (sourceId = `${process.pid}-${++orders}`, createdAt = new Date()) => ({
  source: 'test',
  source_id: sourceId,
  created_at: createdAt.toISOString(),
  customer: { name: `${SECRET} Huber`, phone: `+49 ${SECRET}`, address: `${SECRET}gasse 7` },
  items: [{ vendor: 'julis', quantity: 1, name: `Käse${SECRET}`, note: SECRET }],
  total: { amount: '23.90', currency: 'EUR' },
  note: `rings ${SECRET}`,
})

/** Asks until the answer is neither undefined nor false, for so many milliseconds at most. */
export async function waitFor<Found>(
  find: () => Promise<Found | undefined | false> | Found | undefined | false,
  withinMs = 10_000,
): Promise<Found> {
  const endsAtMs = performance.now() + withinMs
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    if (performance.now() > endsAtMs) throw new Error(`It did not come to be within ${withinMs} ms.`)
    await pause(20)
  }
}

/** Waits until `/readyz` says yes. */
export const untilReady = async (service: ServiceProcess): Promise<void> => {
  await waitFor(async () => (await askFor(service, '/readyz')).status === 200, 15_000)
}

/** Bytes of memory that the process holds, as the system counts them. */
export function residentBytes({ pid = 0 }: ChildProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1_024
}
