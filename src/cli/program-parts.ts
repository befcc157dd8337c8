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

export const asOf = () => new Option('--as-of <time>', 'judge as if it were then (default: now)')

export const maxCommands = () =>
  new Option('--max-commands <n>', 'stop before more billed commands than this are spent').argParser(
    wholeNumber(1, 1_000_000_000),
  )
