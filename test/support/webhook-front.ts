import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'

/** One public address in front of several instances, as a host's load balancer is. */
export interface WebhookFront {
  readonly url: string
  /** Sends the updates of a user to an instance. */
  route(userId: number, url: string): void
  stop(): Promise<void>
}

/** Starts a front that passes each request on to the instance of the user who caused the update. */
export async function startWebhookFront(): Promise<WebhookFront> {
  const instances = new Map<number, string>()
  const server = createServer((request, response) => {
    void pass(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(502).end(),
    )
  })

  const pass = async (request: IncomingMessage): Promise<number> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const body = Buffer.concat(chunks).toString()
    const { message, callback_query: query } = JSON.parse(body) as Record<string, { from?: { id: number } }>
    const instance = instances.get((query ?? message)?.from?.id ?? 0) ?? [...instances.values()][0]
    const secret = String(request.headers['x-telegram-bot-api-secret-token'])
    const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret }
    const answer = await fetch(`${instance}${request.url}`, { method: 'POST', headers, body })
    await answer.arrayBuffer()
    return answer.status
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    route: (userId, url) => void instances.set(userId, url),
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
