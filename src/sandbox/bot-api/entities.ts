import type { Entity } from './formatted-text.ts'

/** Types that may be cut in pieces and joined. */
const MARKS: readonly string[] = ['bold', 'italic', 'underline', 'strikethrough', 'spoiler']

const QUOTES: readonly string[] = ['blockquote', 'expandable_blockquote']

const CODE: readonly string[] = ['pre', 'code']

/** Which of two entities around the same text comes first, as Telegram orders them; those that are not named stand between. */
const ORDER = [...QUOTES, ...CODE, 'date_time', 'text_link', 'text_mention', 'other', ...MARKS, 'custom_emoji']

const rank = (type: string) => ORDER.indexOf(ORDER.includes(type) ? type : 'other')

/** By offset, the longer one first. */
function compareEntities(one: Entity, other: Entity): number {
  return one.offset - other.offset || other.length - one.length || rank(one.type) - rank(other.type)
}

const endOf = ({ offset, length }: Entity) => offset + length

/**
 * Brings entities into the form in which Telegram keeps them: sorted; marks of one type that touch are one, cut where
 * another entity begins or a link or a quote ends, and left out inside of code; links, code and quotes do not overlap, save
 * that a quote may hold the others. What is in that form stays as it is. None may be empty.
 */
export function settleEntities(entities: readonly Entity[]): readonly Entity[] {
  const sorted = entities.toSorted(compareEntities)
  const quotes = withoutOverlaps(sorted.filter(({ type }) => QUOTES.includes(type)))
  const whole = withoutOverlaps(sorted.filter(({ type }) => ![...QUOTES, ...MARKS].includes(type)))
  const kept = [...quotes, ...withoutCrossings(whole, quotes)].toSorted(compareEntities)
  const marks = MARKS.flatMap((mark) => joined(sorted.filter(({ type }) => type === mark)))
  const cuts = [...kept.flatMap((entity) => [entity.offset, endOf(entity)]), ...marks.map(({ offset }) => offset)]
  const code = kept.filter(({ type }) => CODE.includes(type))
  const pieces = outside(cutAt(marks.toSorted(compareEntities), [...new Set(cuts)]), code)
  return [...kept, ...pieces].toSorted(compareEntities)
}

/** Of sorted entities those that begin behind the end of the last one kept. */
function withoutOverlaps(sorted: readonly Entity[]): readonly Entity[] {
  let end = 0
  return sorted.filter((entity) => {
    if (entity.offset < end) return false
    end = endOf(entity)
    return true
  })
}

/** Of sorted entities that do not overlap those that no quote crosses: each is inside of one or clear of all. */
function withoutCrossings(sorted: readonly Entity[], quotes: readonly Entity[]): readonly Entity[] {
  let next = 0
  return sorted.filter((entity) => {
    while (next < quotes.length && endOf(quotes[next] ?? entity) <= entity.offset) next += 1
    const quote = quotes[next]
    if (quote === undefined || endOf(entity) <= quote.offset) return true
    return quote.offset <= entity.offset && endOf(entity) <= endOf(quote)
  })
}

/** Sorted entities of one type, those that touch made one. */
function joined(sorted: readonly Entity[]): readonly Entity[] {
  const result: Entity[] = []
  for (const entity of sorted) {
    const last = result.at(-1)
    if (last === undefined || entity.offset > endOf(last)) result.push(entity)
    else result.splice(-1, 1, { ...last, length: Math.max(endOf(last), endOf(entity)) - last.offset })
  }
  return result
}

function cutAt(entities: readonly Entity[], cuts: readonly number[]): readonly Entity[] {
  const sorted = cuts.toSorted((one, other) => one - other)
  return entities.flatMap((entity) => {
    const first = firstBehind(sorted, entity.offset)
    const ends: number[] = []
    for (let index = first; (sorted[index] ?? Infinity) < endOf(entity); index++) ends.push(sorted[index] ?? 0)
    return [...ends, endOf(entity)].map((end, index) => {
      const offset = index === 0 ? entity.offset : (ends[index - 1] ?? 0)
      return { ...entity, offset, length: end - offset }
    })
  })
}

/** The index of the first number that is larger. */
function firstBehind(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Infinity) > value) high = middle
    else low = middle + 1
  }
  return low
}

/** The pieces that are not inside of code. Code begins and ends at cuts, so each piece is inside or outside as a whole. */
function outside(pieces: readonly Entity[], code: readonly Entity[]): readonly Entity[] {
  const begins = code.map(({ offset }) => offset)
  return pieces.filter(({ offset }) => {
    const before = code[firstBehind(begins, offset) - 1]
    return before === undefined || endOf(before) <= offset
  })
}
