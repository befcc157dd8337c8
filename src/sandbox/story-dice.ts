import { createHash } from 'node:crypto'

/** Chance that falls the same way each time. */
export interface Dice {
  /** A whole number from 0 to `sides` - 1. */
  roll(sides: number): number
  /** One of several. */
  pick<Item>(items: readonly [Item, ...Item[]]): Item
  /** Text of that many characters of base 32, such as an entry's id. */
  letters(count: number): string
}

/** Dice that fall by `seed` alone: the same seed gives the same rolls, on every machine. */
export function createDice(seed: string): Dice {
  let [bytes, at, round] = [Buffer.alloc(0), 0, 0]
  const nextByte = () => {
    if (at === bytes.length) {
      bytes = createHash('sha256')
        .update(JSON.stringify([seed, round]))
        .digest()
      at = 0
      round += 1
    }
    return bytes.readUInt8(at++)
  }
  const roll = (sides: number) => (nextByte() * 65_536 + nextByte() * 256 + nextByte()) % sides
  return {
    roll,
    pick: (items) => items[roll(items.length)] ?? items[0],
    letters: (count) => Array.from({ length: count }, () => '0123456789abcdefghjkmnpqrstvwxyz'[roll(32)]).join(''),
  }
}
