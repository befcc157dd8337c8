import * as fc from 'fast-check'
import { orderStatuses, type OrderStatus } from '../../src/orders/status.ts'
import type { Trouble } from './rough-road.ts'

/** What the deciding person has in view: the card of this instance, of the other one, of the store, or of the intake. */
export type Sight = 'mine' | 'theirs' | 'true' | 'first'

export type Action =
  | { readonly do: 'move'; readonly to: OrderStatus; readonly sight: Sight; readonly by: number }
  | { readonly do: 'undo'; readonly sight: Sight; readonly by: number }
  | { readonly do: 'add'; readonly what: readonly ('note' | 'card' | 'edit')[] }
  /** The entries last added to this order once more, with the same ids. */
  | { readonly do: 'again' }
  | { readonly do: 'read' }
  | { readonly do: 'load' }
  | { readonly do: 'receive' }

export type Step =
  | {
      readonly at: 'one'
      readonly who: 0 | 1
      readonly order: number
      readonly action: Action
      readonly troubles: readonly Trouble[]
    }
  /** Both at the same time. */
  | {
      readonly at: 'both'
      readonly order: number
      readonly actions: readonly [Action, Action]
      readonly troubles: readonly [readonly Trouble[], readonly Trouble[]]
    }
  /** Somebody deletes an order: a sweep, an expiry. */
  | { readonly at: 'sweep'; readonly order: number }
  | { readonly at: 'later' }

/** Orders that the steps are about. Few, so that they meet. */
export const ORDERS = 2

/** Lists of up to 30 steps; most requests have no trouble. */
export function stepsWith(troubles: readonly Trouble[]): fc.Arbitrary<readonly Step[]> {
  const trouble = fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fc.constant('none' as const) },
      { weight: 3, arbitrary: fc.constantFrom(...troubles) },
    ),
    { minLength: 1, maxLength: 5 },
  )
  const road = fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: trouble })
  const order = fc.nat(ORDERS - 1)
  const who = fc.constantFrom(0 as const, 1 as const)
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 14, arbitrary: fc.record({ at: fc.constant('one' as const), who, order, action, troubles: road }) },
    {
      weight: 4,
      arbitrary: fc.record({
        at: fc.constant('both' as const),
        order,
        actions: fc.tuple(action, action),
        troubles: fc.tuple(road, road),
      }),
    },
    { weight: 1, arbitrary: fc.record({ at: fc.constant('sweep' as const), order }) },
    { weight: 1, arbitrary: fc.record({ at: fc.constant('later' as const) }) },
  )
  return fc.array(step, { minLength: 10, maxLength: 30, size: 'max' })
}

const sight = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Sight>('mine') },
  { weight: 3, arbitrary: fc.constantFrom<Sight>('theirs', 'true', 'first') },
)
const by = fc.constantFrom(1, 2)

/** `removed` and what ends an order come seldom, or most moves would be refused. */
const status = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<OrderStatus>('asked', 'confirmed', 'assigned') },
  { weight: 1, arbitrary: fc.constantFrom(...orderStatuses) },
)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('move' as const), to: status, sight, by }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('undo' as const), sight, by }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      what: fc.array(fc.constantFrom('note' as const, 'card' as const, 'edit' as const), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('load' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('receive' as const) }) },
)
