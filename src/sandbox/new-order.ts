import { isoInstant } from '../calendar.ts'
import type { Clock } from '../clock.ts'
import { createDice } from './story-dice.ts'
import { makeUpOrder, type OrderContent } from './story-orders.ts'

/** An order as a shop would send it to `POST /intake/orders`. */
export interface NewOrder extends OrderContent {
  readonly source: 'sandbox'
  readonly source_id: string
  readonly name: string
  readonly created_at: string
}

/** A shop that has a new guest whenever it is asked. */
export interface NewOrders {
  next(): NewOrder
}

export interface NewOrdersOptions {
  readonly clock: Clock
  readonly zone: string
  /** Names this start of the service, so that no order is taken for one of an earlier start. At most 100 characters. */
  readonly run: string
}

/** Every so many orders one is fetched by the guest. */
const PICKUP_EVERY = 5

/** Makes orders for the button of the chat page: created now, different each time, the same ones after each start. */
export function createNewOrders({ clock, zone, run }: NewOrdersOptions): NewOrders {
  let count = 0
  return {
    next: () => {
      count += 1
      const content = makeUpOrder(createDice(`new order ${count}`), { isPickup: count % PICKUP_EVERY === 0 })
      const created_at = isoInstant(clock(), zone)
      return { source: 'sandbox', source_id: `${run}-${count}`, name: `New order ${count}`, created_at, ...content }
    },
  }
}
