import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { createHttpServer, type HttpDeps, type HttpServer } from '../../src/http/server.ts'
import type { HttpTimeouts } from '../../src/http/timeouts.ts'
import { createLog } from '../../src/log.ts'
import { createDesk } from '../../src/orders/desk.ts'
import { createOrderStore } from '../../src/orders/store.ts'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { fakeClock, instant, type FakeClock } from '../support/clock.ts'
import { watched, type WatchedTransport } from '../support/transport.ts'

/** Whatever holds this word must appear in no log and in no answer. */
export const SECRET = 'SECRET'

export const telegramSecret = `hook-${SECRET}-1`
export const intakeToken = `intake-${SECRET}-2`

/** A server with a real desk on a store in memory, its log, and its clock, which stands at 20:00 in Passau. */
export interface HttpRig {
  readonly server: HttpServer
  readonly clock: FakeClock
  readonly store: WatchedTransport
  /** The updates that were handed on. */
  readonly updates: unknown[]
  /** The log as one text. */
  log(): string
  /** The lines of the log with this message. */
  lines(message: string): readonly Readonly<Record<string, unknown>>[]
}

export interface RigOptions extends Partial<HttpDeps> {
  /** A part that is not configured. */
  readonly without?: 'telegram' | 'intake'
}

export async function startRig(
  { without, ...given }: RigOptions = {},
  timeouts: Partial<HttpTimeouts> = {},
): Promise<HttpRig> {
  const written: string[] = []
  const updates: unknown[] = []
  const clock = fakeClock('2025-12-08T20:00:00+01:00')
  const store = watched(createMemoryConnection({ clock }).send)
  const deps: HttpDeps = {
    log: createLog({ level: 'trace', destination: { write: (line) => void written.push(line) } }),
    clock,
    onPing: () => {},
    readiness: async () => ({ ready: true, because: null }),
    telegram: { secret: telegramSecret, receive: async (update) => void updates.push(update) },
    intake: { token: intakeToken, receive: aDesk(store, clock).receive },
    ...given,
  }
  if (without !== undefined) Reflect.deleteProperty(deps, without)
  const server = await createHttpServer(deps, timeouts)
  onTestFinished(() => server.close())
  return {
    server,
    clock,
    store,
    updates,
    log: () => written.join(''),
    lines: (message) => written.map((line) => JSON.parse(line)).filter(({ msg }) => msg === message),
  }
}

const cutoffMs = () => instant('2025-12-06T00:00:00+01:00')

function aDesk({ send }: WatchedTransport, clock: FakeClock) {
  const zone = 'Europe/Berlin'
  const store = createOrderStore({ send, clock, zone, earliestMs: cutoffMs })
  return createDesk({ store, clock, zone, cutoffMs, ttlDays: 7 })
}

export interface Post {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

const json = { 'content-type': 'application/json' }

/** An update with everything right, but for what is given. */
export const postUpdate = ({ server }: HttpRig, { body = '{"update_id":1}', headers = {} }: Post = {}) =>
  server.inject({
    method: 'POST',
    url: '/telegram/webhook',
    headers: { ...json, 'x-telegram-bot-api-secret-token': telegramSecret, ...headers },
    payload: body,
  })

/** An order with everything right, but for what is given. */
export const postOrder = ({ server }: HttpRig, { body = '{}', headers = {} }: Post = {}) =>
  server.inject({
    method: 'POST',
    url: '/intake/orders',
    headers: { ...json, authorization: `Bearer ${intakeToken}`, ...headers },
    payload: body,
  })

/** Listens on a free port and resolves with it. */
export const listen = async ({ server }: HttpRig): Promise<number> =>
  Number(new URL(await server.listen('127.0.0.1', 0)).port)

/** A bare connection, and all that came back when it ended. */
export interface RawClient {
  readonly socket: Socket
  readonly ended: Promise<string>
}

export function dial(port: number, text = ''): RawClient {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A reset ends a connection as well as a polite end does.
  socket.on('error', () => {})
  socket.write(text)
  const ended = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
  })
  return { socket, ended }
}

/** A request as it travels: its head, and as much of the body as is given. */
export const rawRequest = (line: string, headers: Readonly<Record<string, string | number>> = {}, body = ''): string =>
  [
    `${line} HTTP/1.1`,
    'host: test',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n')

/** A promise and the function that fulfils it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  const doors: (() => void)[] = []
  const opened = new Promise<void>((resolve) => doors.push(resolve))
  return { opened, open: () => doors.forEach((open) => open()) }
}

/** Waits until something holds, for two seconds at most. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 400) throw new Error('It did not come to hold within two seconds.')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
