import type { FastifyInstance } from 'fastify'
import type { Clock } from '../clock.ts'
import { InputError } from '../errors.ts'
import { createStandIn } from './bot-api/stand-in.ts'
import { addGate } from './gate.ts'
import { addPageActions } from './page-actions.ts'
import { addPageEvents, type PageEvents } from './page-events.ts'
import { addPageFiles, addSentFiles } from './page-files.ts'
import { createPageState } from './page-state.ts'
import type { StoreFacts } from './page-view.ts'
import { cast, type CastGroups } from './people.ts'

export interface SandboxOptions {
  readonly clock: Clock
  readonly version: string
  /** What tells this start of the service from others. */
  readonly run: string
  readonly storeKind: StoreFacts['kind']
  readonly token: string
  readonly groups: CastGroups
  readonly newOrder: () => object
  /** Lets an order in through the service's own intake. */
  readonly handIn: (order: object) => Promise<IntakeAnswer>
  /** Starts the service anew. */
  readonly restart: () => void
}

/** What came of an order: its id, or why there is none, in words for a person. */
export type IntakeAnswer =
  | { readonly status: number; readonly id: string; readonly problem?: never }
  | { readonly status?: number; readonly problem: string }

/** A local Telegram with people, groups and the service's bot in it, and a page to act as any of the people. */
export interface Sandbox {
  /** Serves `/`, and under `/sandbox` the page's routes and the Bot API; guards every route of the server. */
  readonly mount: (app: FastifyInstance) => Promise<void>
  /** Orders of the story that are in the store. */
  noteSeeded(orders: number): void
  /** Ends what is open towards the bot and the pages. */
  stop(): Promise<void>
}

/** Milliseconds before an update is sent again that the bot did not take; the last repeats. As Telegram does it. */
const RESEND_MS = [0, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000]

/** Milliseconds that a person waits for the answer to a press. */
const PRESS_WITHIN_MS = 15_000

/** Puts the sandbox together. All of it is in memory. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const { clock, groups, handIn, newOrder, restart, storeKind, token } = options
  const telegram = createStandIn({
    token,
    username: 'orderly_sandbox_bot',
    clock,
    people: cast,
    chats: [groups.dispatch, groups.vendor],
    resendMs: RESEND_MS,
    pressWithinMs: PRESS_WITHIN_MS,
  })
  let seeded = 0
  const state = createPageState({ ...options, telegram, store: () => ({ kind: storeKind, seeded }) })
  let pages: PageEvents | undefined

  const tell = (event: string, content: unknown) => pages?.send(event, content)

  // Told of much that the page does not show.
  let lastFacts = ''
  const tellFacts = () => {
    const facts = state.facts()
    const text = JSON.stringify(facts)
    if (text === lastFacts) return
    lastFacts = text
    tell('facts', facts)
  }

  const unwatch = telegram.watch((happening) => {
    switch (happening.kind) {
      case 'facts':
        return tellFacts()
      case 'message':
        return tell('message', state.message(happening.message))
      case 'deleted':
        return tell('deleted', { chatId: happening.chatId, messageId: happening.messageId })
      case 'call':
        return tell('traffic', state.noteCall(happening.call))
      case 'delivery':
        return tell('traffic', state.noteDelivery(happening.attempt))
      default:
        return happening satisfies never
    }
  })

  let intakes = 0
  const handInNext = async () => {
    const intake = { number: (intakes += 1), order: newOrder() }
    const begunAtMs = clock()
    tell('traffic', state.noteIntake(intake))
    const answer = await handIn(intake.order)
    tell('traffic', state.noteIntake({ ...intake, ...answer, ms: clock() - begunAtMs }))
    if (answer.problem !== undefined) throw new InputError(answer.problem)
    return answer.id
  }

  const startOver = () => {
    // Or the bot would wait, before it ends, for what was broken on purpose.
    telegram.calm()
    restart()
  }

  return {
    mount: async (app) => {
      addGate(app)
      addPageFiles(app)
      addSentFiles(app, telegram.file)
      pages = addPageEvents(app, state.hello)
      addPageActions(app, { telegram, handIn: handInNext, restart: startOver })
      await app.register(telegram.plugin, { prefix: '/sandbox' })
    },
    noteSeeded: (orders) => {
      seeded = orders
      tellFacts()
    },
    stop: async () => {
      unwatch()
      pages?.stop()
      telegram.stop()
    },
  }
}
