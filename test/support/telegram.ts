import { fastify } from 'fastify'
import type { Update } from 'grammy/types'
import { createStandIn, type StandIn, type StandInOptions } from '../../src/sandbox/bot-api/stand-in.ts'
import { createWaiting } from './waiting.ts'

export type { ChatMessage, Happening } from '../../src/sandbox/bot-api/stand-in.ts'

export type TelegramOptions = StandInOptions

/** An update as Telegram would send it; without an `update_id` it gets the next one. */
export type RawUpdate = Omit<Update, 'update_id'> & { readonly update_id?: number }

/** The product's own stand-in of Telegram on a port of its own. */
export interface TelegramStandIn extends Omit<StandIn, 'deliver' | 'deliverTwice' | 'stop'> {
  /** For `apiRoot`: `http://127.0.0.1:…`. */
  readonly url: string
  deliver(update: RawUpdate): ReturnType<StandIn['deliver']>
  deliverTwice(update: RawUpdate): ReturnType<StandIn['deliverTwice']>
  /**
   * Asks until the answer is neither false nor nullish, and resolves with it. Asks after all that happens here.
   *
   * @throws Error after `timeoutMs` (default 2000), with the latest calls.
   */
  waitFor<Found>(find: () => Found | false | null | undefined, timeoutMs?: number): Promise<Found>
  /** Breaks all connections, pending polls included. */
  stop(): Promise<void>
}

/** Starts a Telegram on a free port of the loopback interface. */
export async function startTelegram(options: TelegramOptions): Promise<TelegramStandIn> {
  const standIn = createStandIn(options)
  const waiting = createWaiting()
  standIn.watch(waiting.check)

  const app = fastify({ forceCloseConnections: true })
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ ok: false, error_code: 404, description: 'Not Found' }),
  )
  await app.register(standIn.plugin)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  // Not spread: what is read from a getter shall stay current.
  return Object.defineProperties({} as TelegramStandIn, {
    ...Object.getOwnPropertyDescriptors(standIn),
    ...Object.getOwnPropertyDescriptors({
      url,
      waitFor: <Found>(find: () => Found | false | null | undefined, timeoutMs = 2000) =>
        waiting.waitFor(find, { timeoutMs, explain: () => latestOf(standIn) }),
      stop: async () => {
        standIn.stop()
        waiting.stop()
        await app.close()
      },
    }),
  })
}

/** The latest calls as text. */
const latestOf = ({ calls }: StandIn) =>
  [
    'The latest calls were:',
    ...calls
      .slice(-10)
      .map(
        ({ method, params, status, description = '' }) =>
          `  ${method} ${JSON.stringify(params)} -> ${status ?? 'no answer'} ${description}`,
      ),
  ].join('\n')
