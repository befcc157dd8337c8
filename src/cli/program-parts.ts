import { InvalidArgumentError, Option, type Command } from 'commander'
import type { CommandResult } from './result.ts'

/** Runs a command under the name that its answer shows. */
export type RunCommand = (command: string, work: Promise<CommandResult>) => Promise<void>

export const withJson = (command: Command): Command =>
  command.option('--json', 'print exactly one JSON object: { ok, command, data, error, warnings, cost }')

/** What a help ends with. */
export const examples = (...lines: readonly string[]) =>
  `\nExample${lines.length === 1 ? '' : 's'}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`

/** Reads an option's value, bounds included. Throws what commander shows as wrong use. */
export const wholeNumber = (least: number, most: number) => (text: string) => {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (value >= least && value <= most) return value
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
}

/** Reads the name of a file to be written. A forgotten one would be the next option. Throws what commander shows as wrong use. */
export const fileName = (text: string) => {
  if (text !== '' && !text.startsWith('-')) return text
  throw new InvalidArgumentError('It must be the name of a file; write ./ before one that begins with a hyphen.')
}

export const asOf = () => new Option('--as-of <time>', 'judge as if it were then (default: now)')

export const maxCommands = () =>
  new Option('--max-commands <n>', 'stop before more billed commands than this are spent').argParser(
    wholeNumber(1, 1_000_000_000),
  )
