import { harmlessJson } from '../log.ts'
import { commandNamed } from './command-name.ts'
import type { Io } from './io.ts'
import { runProgram, type Parsed } from './program.ts'
import { envelopeOf, exitCodeOf, failed, type CommandResult, type ExitCode } from './result.ts'

/**
 * Runs one call of the CLI: data on stdout, everything else on stderr. With `--json` exactly one object on stdout, whatever
 * happens. Never throws.
 */
export async function runCli(args: readonly string[], version: string, io: Io): Promise<ExitCode> {
  const parsed = await runProgram(args, version, io).catch((error: unknown): Parsed => ({
    kind: 'result',
    command: null,
    result: failed(error),
  }))
  return wantsJson(args) ? printJson(args, parsed, io) : printText(parsed, io)
}

/** Known before the arguments are parsed, for wrong arguments are answered in JSON too. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).includes('--json')
}

function printJson(args: readonly string[], parsed: Parsed, io: Io): ExitCode {
  const result = resultOf(parsed)
  const command = (parsed.kind === 'result' ? parsed.command : null) ?? commandNamed(args)
  io.stdout(`${harmlessJson(JSON.stringify(envelopeOf(command, result)))}\n`)
  return exitCodeOf(result.error)
}

function resultOf(parsed: Parsed): CommandResult {
  switch (parsed.kind) {
    case 'result':
      return parsed.result
    case 'text':
      return { data: { text: parsed.text }, text: '', error: null, warnings: [] }
    case 'wrong-use':
      return { data: null, text: '', error: { code: 'WRONG_USE', message: parsed.message.trim() }, warnings: [] }
    default:
      return parsed satisfies never
  }
}

function printText(parsed: Parsed, io: Io): ExitCode {
  if (parsed.kind === 'text') io.stdout(parsed.text)
  const { text, error, warnings } = resultOf(parsed)
  if (text !== '') io.stdout(`${text}\n`)
  if (error !== null) io.stderr(`${error.message}\n`)
  for (const warning of warnings) io.stderr(`Note: ${warning}\n`)
  return exitCodeOf(error)
}
