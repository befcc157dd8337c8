import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Update } from 'grammy/types'

/** What a webhook does with an update: a status, the connection broken, or no answer. */
export type WebhookAnswer = number | 'reset' | 'hang'

/** A bot's webhook that only notes what it is sent. */
export interface FakeWebhook {
  readonly url: string
  /** Oldest first, in the order of their arrival. */
  readonly received: readonly Update[]
  /** The `X-Telegram-Bot-Api-Secret-Token` of each. */
  readonly secrets: readonly (string | undefined)[]
  /** Asked for each update with its number, from 0. Absent: 200. */
  answer: (update: Update, index: number) => WebhookAnswer | Promise<WebhookAnswer>
  stop(): Promise<void>
}

/** Starts a webhook on a free port of the loopback interface. */
export async function startFakeWebhook(): Promise<FakeWebhook> {
  const received: Update[] = []
  const secrets: (string | undefined)[] = []

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const update = await readUpdate(request)
    const index = received.push(update) - 1
    secrets.push(request.headers['x-telegram-bot-api-secret-token']?.toString())
    const answer = await webhook.answer(update, index)
    if (answer === 'reset') request.socket.destroy()
    else if (answer !== 'hang') response.writeHead(answer).end()
  }

  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  const webhook: FakeWebhook = {
    url: `http://127.0.0.1:${port}/telegram/webhook`,
    received,
    secrets,
    answer: () => 200,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return webhook
}

async function readUpdate(request: IncomingMessage): Promise<Update> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return JSON.parse(Buffer.concat(chunks).toString()) as Update
}
