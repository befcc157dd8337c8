/** Which statuses an order may have, and which may follow each. The fold obeys this table, so it only ever grows. */
export const exits = {
  new: ['asked', 'confirmed', 'assigned', 'picked-up', 'delivered', 'cancelled', 'removed'],
  asked: ['confirmed', 'assigned', 'picked-up', 'delivered', 'cancelled', 'removed'],
  confirmed: ['asked', 'assigned', 'picked-up', 'delivered', 'cancelled', 'removed'],
  assigned: ['asked', 'confirmed', 'assigned', 'picked-up', 'delivered', 'cancelled', 'removed'],
  'picked-up': ['assigned', 'delivered', 'cancelled'],
  delivered: [],
  cancelled: [],
  removed: [],
} as const satisfies Record<string, readonly string[]>

export type OrderStatus = keyof typeof exits

/** Every status, in the order of an order's life. */
export const orderStatuses = Object.keys(exits) as readonly OrderStatus[]

/** Whether a stored text is a status that Orderly knows. */
export const isOrderStatus = (value: unknown): value is OrderStatus =>
  typeof value === 'string' && Object.hasOwn(exits, value)

/** What may follow a status; nothing follows one that Orderly does not know. */
export const nextStatuses = (status: string | null): readonly OrderStatus[] =>
  isOrderStatus(status) ? exits[status] : []

/** Whether an order in this status still needs somebody to do something. False for no status and unknown ones. */
export const isOpen = (status: string | null): boolean => nextStatuses(status).length > 0

/** Whether the table lets `from` become `to`. */
export const mayBecome = (from: string | null, to: OrderStatus): boolean => nextStatuses(from).includes(to)
