import type { Clock } from '../../clock.ts'
import { refuse, WRONG_TYPE } from './refused.ts'
import type { Stream } from './streams.ts'

/** What the keys of each type hold. Strings are bytes, because Redis measures and cuts them in bytes. */
interface Kinds {
  string: Buffer
  hash: Map<string, string>
  list: string[]
  set: Set<string>
  stream: Stream
}
export type Kind = keyof Kinds

interface Slot {
  /** Rises with each new key. A scan's cursor is the last one it looked at, so no key is skipped. */
  readonly sequence: number
  kind: Kind
  /** The value, under its kind. */
  holds: Partial<Kinds>
  expiresAtMs: number | undefined
}

interface Place {
  readonly sequence: number
  readonly key: string
}

/** The keys of one embedded store, with their types and expiry. A key whose time has come is gone at any look. */
export class Keyspace {
  readonly clock: Clock
  readonly #slots = new Map<string, Slot>()
  /** Every key in the order of its sequence, with places of keys that have gone until `#tidy`. */
  #places: Place[] = []
  #lastSequence = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** How many keys there are. */
  get size(): number {
    for (const key of this.#slots.keys()) this.#live(key)
    return this.#slots.size
  }

  kindOf(key: string): Kind | undefined {
    return this.#live(key)?.kind
  }

  /** The value of a key. Refuses when it holds another type. */
  find<Wanted extends Kind>(key: string, kind: Wanted): Kinds[Wanted] | undefined {
    const slot = this.#live(key)
    if (slot === undefined) return undefined
    return slot.holds[kind] ?? refuse(WRONG_TYPE)
  }

  /** The value of a key, which is made with `empty` where there is none. Refuses when it holds another type. */
  open<Wanted extends Kind>(key: string, kind: Wanted, empty: () => Kinds[Wanted]): Kinds[Wanted] {
    const found = this.find(key, kind)
    if (found !== undefined) return found
    const value = empty()
    this.put(key, kind, value)
    return value
  }

  /** Replaces whatever the key holds and keeps its expiry. */
  put<Given extends Kind>(key: string, kind: Given, value: Kinds[Given]): void {
    const holds: Partial<Kinds> = {}
    holds[kind] = value
    const slot = this.#live(key)
    if (slot !== undefined) {
      slot.kind = kind
      slot.holds = holds
      return
    }
    const sequence = ++this.#lastSequence
    this.#slots.set(key, { sequence, kind, holds, expiresAtMs: undefined })
    this.#places.push({ sequence, key })
  }

  /** Whether there was such a key. */
  remove(key: string): boolean {
    const existed = this.#live(key) !== undefined
    this.#slots.delete(key)
    this.#tidy()
    return existed
  }

  clear(): void {
    this.#slots.clear()
    this.#places = []
  }

  /** When a key expires, in milliseconds since the epoch; undefined for never. */
  expiryOf(key: string): number | undefined {
    return this.#live(key)?.expiresAtMs
  }

  setExpiry(key: string, expiresAtMs: number | undefined): void {
    const slot = this.#live(key)
    if (slot !== undefined) slot.expiresAtMs = expiresAtMs
  }

  /** The keys among the next `count` places after `cursor`, and the cursor to go on with; 0 at the end. */
  page(cursor: number, count: number): { readonly next: number; readonly keys: readonly string[] } {
    const start = this.#placeAfter(cursor)
    const places = this.#places.slice(start, start + count)
    const next = start + count < this.#places.length ? (places.at(-1)?.sequence ?? 0) : 0
    return { next, keys: places.filter((place) => this.#isTaken(place)).map(({ key }) => key) }
  }

  #live(key: string): Slot | undefined {
    const slot = this.#slots.get(key)
    if (slot?.expiresAtMs === undefined || this.clock() < slot.expiresAtMs) return slot
    this.#slots.delete(key)
    return undefined
  }

  #isTaken({ key, sequence }: Place): boolean {
    return this.#live(key)?.sequence === sequence
  }

  #placeAfter(cursor: number): number {
    let [low, high] = [0, this.#places.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#places[middle]?.sequence ?? 0) <= cursor) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Forgets the places of keys that have gone once they are the larger part. */
  #tidy(): void {
    if (this.#places.length <= 2 * this.#slots.size + 100) return
    this.#places = this.#places.filter(({ key, sequence }) => this.#slots.get(key)?.sequence === sequence)
  }
}
