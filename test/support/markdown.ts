import { readFileSync } from 'node:fs'

/** A document of the repository. */
export const documentText = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The rows of the table whose first header cell is `header`, without the header; throws when there is none. */
export function tableRows(text: string, header: string): string[][] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${header} |`))
  if (start === -1) throw new Error(`There is no table that begins with "${header}".`)
  const rest = lines.slice(start + 2)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(0, end === -1 ? undefined : end).map(cellsOf)
}

const cellsOf = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())

/** What stands between the first pair of backticks in a cell. */
export const codeIn = (cell: string | undefined): string => /`([^`]+)`/.exec(cell ?? '')?.[1] ?? ''
