import { overlaps, type Box } from '../../src/charts/box.ts'
import { inter } from './inter.ts'

/** A text of a drawing and the room that its letters take, measured with the font itself. */
export interface DrawnText {
  readonly text: string
  readonly fill: string
  readonly bold: boolean
  readonly box: Box
}

/** Elements by name with their attributes and content, in a drawing whose elements of that name hold no other elements. */
export function elementsOf(svg: string, name: string): readonly Readonly<Record<string, string>>[] {
  return [...svg.matchAll(new RegExp(`<${name}\\b([^>]*?)(?:/>|>([^<]*)</${name}>)`, 'g'))].map(
    ([, written = '', content = '']) => ({
      ...Object.fromEntries(
        [...written.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
      ),
      content,
    }),
  )
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** Every text of a drawing. */
export const textsOf = (svg: string): readonly DrawnText[] =>
  elementsOf(svg, 'text').map((attributes) => {
    const text = (attributes['content'] ?? '').replaceAll(/&([^;]+);/g, (_, entity: string) => ENTITIES[entity] ?? '?')
    const [x, y, size] = ['x', 'y', 'font-size'].map((key) => Number(attributes[key]))
    if (x === undefined || y === undefined || size === undefined) throw new Error('A text without a place.')
    const bold = attributes['font-weight'] === '700'
    const right = x + (bold ? inter.bold : inter.regular).width(text) * size
    return {
      text,
      bold,
      fill: attributes['fill'] ?? '',
      box: { left: x, right, top: y - 0.75 * size, bottom: y + 0.21 * size },
    }
  })

/** Pairs of texts that cover each other, as words. */
export const overlapsOf = (texts: readonly DrawnText[]): readonly string[] =>
  texts.flatMap((one, at) =>
    texts.slice(at + 1).flatMap((other) => (overlaps(one.box, other.box) ? [`${one.text} over ${other.text}`] : [])),
  )

const numbers = (element: Readonly<Record<string, string>>, keys: readonly string[]) =>
  keys.map((key) => Number(element[key] ?? 0))

/** Every place that a shape of a drawing reaches: corners of its shapes, without their strokes. */
export function placesOf(svg: string): readonly (readonly [x: number, y: number])[] {
  const rects = elementsOf(svg, 'rect').flatMap((rect) => {
    const [x = 0, y = 0, width = 0, height = 0] = numbers(rect, ['x', 'y', 'width', 'height'])
    return [[x, y] as const, [x + width, y + height] as const]
  })
  const circles = elementsOf(svg, 'circle').flatMap((circle) => {
    const [x = 0, y = 0, r = 0] = numbers(circle, ['cx', 'cy', 'r'])
    return [[x - r, y - r] as const, [x + r, y + r] as const]
  })
  const lines = elementsOf(svg, 'line').flatMap((line) => {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = numbers(line, ['x1', 'y1', 'x2', 'y2'])
    return [[x1, y1] as const, [x2, y2] as const]
  })
  const paths = [...elementsOf(svg, 'polyline'), ...elementsOf(svg, 'polygon')].flatMap(({ points = '' }) =>
    points.split(' ').map((point) => {
      const [x = Number.NaN, y = Number.NaN] = point.split(',').map(Number)
      return [x, y] as const
    }),
  )
  return [...rects, ...circles, ...lines, ...paths]
}
