import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** Milliseconds between two signs of life, well below the time after which the server ends a silent connection. */
const HEARTBEAT_MS = 15_000

/** Bytes that a page may be behind. One that is further behind is cut off: it connects again and gets everything anew. */
const MOST_BEHIND = 4_000_000

/** Milliseconds after which a page tries again that lost the connection. */
const RECONNECT_MS = 500

/** What the server's own headers would say: a stream goes out past them. */
const EVENT_STREAM = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
}

/** The pages that look on, through server-sent events. */
export interface PageEvents {
  /** Tells every page. */
  send(event: string, content: unknown): void
  /** Ends all connections; the pages connect again by themselves as soon as somebody answers. */
  stop(): void
}

/** Serves `GET /sandbox/events`. Each page that connects is told `hello` first. */
export function addPageEvents(app: FastifyInstance, hello: () => unknown): PageEvents {
  const pages = new Set<ServerResponse>()
  const heartbeat = setInterval(() => pages.forEach((page) => write(page, ': alive\n\n')), HEARTBEAT_MS).unref()

  let isStopped = false

  const add = (page: ServerResponse) => {
    page.writeHead(200, EVENT_STREAM)
    page.write(`retry: ${RECONNECT_MS}\n${eventText('hello', hello())}`)
    pages.add(page)
    page.once('close', () => pages.delete(page))
  }

  app.get('/sandbox/events', { exposeHeadRoute: false }, (_request, reply) => {
    reply.hijack()
    // A status would tell the page that there is nothing to come back for.
    if (isStopped) reply.raw.destroy()
    else add(reply.raw)
  })

  return {
    send: (event, content) => {
      if (pages.size === 0) return
      const text = eventText(event, content)
      pages.forEach((page) => write(page, text))
    },
    stop: () => {
      isStopped = true
      clearInterval(heartbeat)
      pages.forEach((page) => page.end())
      // Nothing may be written after the end.
      pages.clear()
    },
  }
}

function write(page: ServerResponse, text: string): void {
  if (page.writableLength > MOST_BEHIND) page.destroy()
  else page.write(text)
}

/** JSON has no line feeds of its own, so one line of `data` is enough. */
const eventText = (event: string, content: unknown) => `event: ${event}\ndata: ${JSON.stringify(content)}\n\n`
