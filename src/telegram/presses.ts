import { Composer, type Context } from 'grammy'
import type { Desk, Moved } from '../orders/desk.ts'
import { decodeButton, type CardButton } from './buttons.ts'
import { ignoreUnchanged } from './calls.ts'
import { statusText } from './card.ts'
import type { Cards } from './cards.ts'
import type { Names } from './names.ts'

export interface PressDeps {
  readonly desk: Desk
  readonly cards: Cards | undefined
  readonly names: Names
}

/** The buttons of cards. Every press is answered, and the card is brought up to date whatever came of it. */
export function pressHandler({ desk, cards, names }: PressDeps): Composer<Context> {
  const composer = new Composer()
  composer.on('callback_query:data', async (context) => {
    const button = decodeButton(context.callbackQuery.data)
    const chatId = context.chat?.id
    if (button === undefined || cards === undefined || chatId !== cards.chatId()) {
      await context.answerCallbackQuery({ text: 'This button is not in use any more.' })
      return
    }
    const moved = await commit(desk, button, context.from.id)
    const text = await answerTo(moved, { isUndo: button.kind === 'undo', findName: (by) => names.findName(by, chatId) })
    if (moved.outcome !== 'gone') cards.show(moved.order)
    await context.answerCallbackQuery({ text })
    if (moved.outcome === 'gone') await context.editMessageReplyMarkup().catch(ignoreUnchanged)
  })
  return composer
}

const commit = (desk: Desk, button: CardButton, by: number): Promise<Moved> =>
  button.kind === 'move'
    ? desk.move(button.id, { to: button.to, after: button.after, by })
    : desk.undo(button.id, { undo: button.undo, after: button.undo, by })

interface Press {
  readonly isUndo: boolean
  readonly findName: (by: number | string) => Promise<string>
}

async function answerTo(moved: Moved, { isUndo, findName }: Press): Promise<string> {
  switch (moved.outcome) {
    case 'moved':
    case 'done': {
      const status = statusText(moved.order.status)
      return isUndo ? `Undone: ${status} again.` : `Done: ${status}.`
    }
    case 'overtaken': {
      const who = moved.by?.by == null ? 'Somebody' : await findName(moved.by.by)
      const status = moved.by?.to ?? moved.order.status
      return `${who} was faster: ${status === null ? 'changed' : statusText(status)}.`
    }
    case 'forbidden':
      return `Not possible now. From here: ${moved.allowed.join(', ') || 'nothing'}.`
    case 'too-late':
      return 'Too late to undo: only the latest change, within 10 minutes.'
    case 'gone':
      return 'This order is not stored any more.'
    default:
      return moved satisfies never
  }
}
