import { join } from 'node:path'
import { readTrueType } from './true-type.ts'

const fonts = join(import.meta.dirname, '../../src/charts/fonts')
const [regular, bold] = [join(fonts, 'Inter-Regular.ttf'), join(fonts, 'Inter-Bold.ttf')] as const

/** Where the fonts are that pictures are written in. */
export const fontFiles = [regular, bold]

/** The same, to measure texts. */
export const inter = { regular: readTrueType(regular), bold: readTrueType(bold) }
