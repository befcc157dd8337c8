import type { Box, Point } from './box.ts'
import { textWidth } from './text-width.ts'

/** Attributes by name. A value is escaped, a number shortened to hundredths. */
export type Attributes = Readonly<Record<string, string | number>>

/** An element of a drawing, as text. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(shorten(value))}"`)
  return content === '' ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${content}</${name}>`
}

const shorten = (value: string | number): string =>
  typeof value === 'number' ? String(Math.round(value * 100) / 100) : value

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text as content or attribute value of XML. */
const escapeXml = (text: string): string => text.replaceAll(/[&<>"']/g, (found) => ENTITIES[found] ?? '')

/** Points as the `points` of a line or an area. */
export const pointList = (points: readonly Point[]): string =>
  points.map(({ x, y }) => `${shorten(x)},${shorten(y)}`).join(' ')

/** Size of everything written but the title: readable on a telephone, where the picture is 360 wide. */
export const TEXT_SIZE = 19

/** How a label looks. */
export interface LabelStyle {
  readonly fill: string
  readonly bold: boolean
  readonly size?: number
  /** The background's colour, to stand out from lines behind it. */
  readonly halo?: string
}

/** A drawable text that begins at a point of its base line. */
export function label(text: string, { x, y }: Point, { fill, bold, size = TEXT_SIZE, halo }: LabelStyle): string {
  const around = { stroke: halo ?? '', 'stroke-width': 4, 'stroke-linejoin': 'round', 'paint-order': 'stroke' }
  const plain = { x, y, fill, 'font-size': size, 'font-weight': bold ? 700 : 400 }
  return element('text', halo === undefined ? plain : { ...plain, ...around }, escapeXml(text))
}

/** How far letters of `TEXT_SIZE` reach above and below their base line. */
const [RISE, FALL] = [15, 4]

/** The room that a label takes. */
export const labelBox = (text: string, { x, y }: Point, bold: boolean): Box => ({
  left: x,
  right: x + textWidth(text, { size: TEXT_SIZE, bold }),
  top: y - RISE,
  bottom: y + FALL,
})

/** Where a label begins that takes a room. */
export const startOf = ({ left, bottom }: Box): Point => ({ x: left, y: bottom - FALL })
