/** A sample of things of several kinds that shows each kind, however rare it is. */
export interface Reservoir<Kind, Item> {
  add(kind: Kind, item: Item): void
  /** At most as many items as were asked for, in turn one of each kind, in the order in which the kinds came. */
  sample(): readonly Item[]
}

/**
 * Keeps, of each kind, so many that any share of the sample can be filled, each item with the same chance.
 *
 * @param random a number from 0 up to but not including 1, as `Math.random` makes it.
 */
export function createReservoir<Kind, Item>(most: number, random: () => number): Reservoir<Kind, Item> {
  const kinds = new Map<Kind, { items: Item[]; met: number }>()
  return {
    add: (kind, item) => {
      const held = kinds.get(kind) ?? { items: [], met: 0 }
      kinds.set(kind, held)
      const at = held.met < most ? held.met : Math.floor(random() * (held.met + 1))
      if (at < most) held.items[at] = item
      held.met += 1
    },
    sample: () => {
      const groups = [...kinds.values()].map(({ items }) => items)
      const turns = Array.from({ length: most }, (_, turn) => groups.flatMap((items) => items.slice(turn, turn + 1)))
      return turns.flat().slice(0, most)
    },
  }
}
