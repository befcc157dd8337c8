import type { FastifyInstance } from 'fastify'

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Whether the sandbox may listen at an address: it has no login, so only this machine may reach it. */
export const isLoopbackHost = (host: string): boolean => LOOPBACK.has(host.includes(':') ? `[${host}]` : host)

/**
 * Refuses requests that a page of another site can make a browser send: those to a name that was pointed at this machine
 * (another `Host`) and those from another origin. Programs send no `Origin` and pass, and so does what a page merely loads,
 * which changes nothing.
 */
export function addGate(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers }, reply, done) => {
    if (isOwnHost(headers.host) && isOwnOrigin(headers.origin, headers.host)) done()
    else void reply.code(403).send({ error: { code: 'FOREIGN_REQUEST', message: FOREIGN } })
  })
}

const FOREIGN = 'The sandbox answers this machine only, by the name localhost or 127.0.0.1, and its own page.'

function isOwnHost(host = ''): boolean {
  const url = `http://${host}`
  return URL.canParse(url) && new URL(url).host === host.toLowerCase().replace(/:80$/, '') && isLoopback(url)
}

const isLoopback = (url: string) => LOOPBACK.has(new URL(url).hostname)

const isOwnOrigin = (origin: string | undefined, host = '') =>
  origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`
