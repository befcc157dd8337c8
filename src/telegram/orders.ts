import { Composer, type Context } from 'grammy'
import { isOpen } from '../orders/status.ts'
import type { OrderStore } from '../orders/store.ts'
import { refuse, type IsAdmin } from './admin.ts'
import { titleOf } from './card.ts'
import { cut, NO_PREVIEW } from './text.ts'

export interface OrdersDeps {
  readonly isAdmin: IsAdmin
  readonly store: OrderStore
  /** The chat whose members see the orders anyway. */
  readonly ordersChatId: () => number | undefined
}

/** `/orders`: the open orders, for admins and in the orders chat. Costs nothing but a reload that is due. */
export function ordersCommand({ isAdmin, store, ordersChatId }: OrdersDeps): Composer<Context> {
  const composer = new Composer()
  composer.command('orders', async (context) => {
    if (!isAdmin(context.from?.id) && context.chat.id !== ordersChatId()) return refuse(context)
    await store.freshen()
    const open = store.held().filter(({ status }) => isOpen(status))
    const lines = open
      .toSorted((a, b) => a.id.localeCompare(b.id))
      .map((order) => `• ${titleOf(order)}: ${order.status}`)
    await context.reply(
      cut(open.length === 0 ? 'No open orders.' : [`Open orders: ${open.length}`, ...lines].join('\n')),
      NO_PREVIEW,
    )
  })
  return composer
}
