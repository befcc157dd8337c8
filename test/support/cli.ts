import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runCli } from '../../src/cli/run.ts'
import { isBuildFresh } from './build.ts'

/** How one call of the CLI ended, and what it said. */
export interface CliRun {
  /** Null when a signal ended the process. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export type Env = Readonly<Record<string, string>>

/** Milliseconds after the start, or whatever a test waits for. */
export type Moment = number | Promise<unknown>

export interface CliOptions {
  /** All that the process has of an environment, beside PATH and a TZ that is not the business zone. */
  readonly env?: Env
  /** @default a new empty folder, so that no `.env` is read */
  readonly cwd?: string
  /** When to press Ctrl-C (SIGINT), once or several times. */
  readonly signalAfter?: Moment | readonly Moment[]
  readonly stdin?: string
}

/** A call of the CLI that still runs. */
export interface RunningCli {
  readonly child: ChildProcess
  readonly ended: Promise<CliRun>
  /** Resolves as soon as stderr holds the text, or when the process has ended. */
  says(text: string): Promise<void>
}

const root = join(import.meta.dirname, '../..')

/** The words that start the CLI: the build, which starts twice as fast, where it is newer than every source; else the source. */
const entry = isBuildFresh()
  ? [join(root, 'dist/cli.js')]
  : ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href, join(root, 'src/cli.ts')]

/** Runs the real CLI in a process of its own. */
export async function runOrderly(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const { child, ended } = startOrderly(args, options)
  const { signalAfter = [] } = options
  const moments = Array.isArray(signalAfter) ? signalAfter : [signalAfter]
  const timers = moments.map((moment) => pressAt(child, moment))
  const run = await ended
  for (const timer of timers) clearTimeout(timer)
  return run
}

/** Starts the real CLI in a process of its own. */
export function startOrderly(args: readonly string[], options: CliOptions = {}): RunningCli {
  const { env = {}, stdin = '' } = options
  const ownFolder = options.cwd === undefined ? mkdtempSync(join(tmpdir(), 'orderly-cli-')) : undefined
  const child = spawn(process.execPath, [...entry, ...args], {
    cwd: options.cwd ?? ownFolder,
    env: { PATH: process.env['PATH'], TZ: 'America/New_York', ...env },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined).end(stdin)
  const ended = once(child, 'close').then(([code, signal]): CliRun => {
    if (ownFolder !== undefined) rmSync(ownFolder, { recursive: true, force: true })
    return { code, signal, stdout, stderr }
  })
  return {
    child,
    ended,
    says: async (text) => {
      while (!stderr.includes(text) && child.exitCode === null && child.signalCode === null) {
        await Promise.race([once(child.stderr, 'data'), ended])
      }
    },
  }
}

function pressAt(child: ChildProcess, moment: Moment): NodeJS.Timeout | undefined {
  const press = () => void child.kill('SIGINT')
  if (typeof moment === 'number') return setTimeout(press, moment)
  moment.then(press, press)
  return undefined
}

export interface CallOptions {
  /** All that the CLI sees of an environment, beside LOG_LEVEL=silent, for log lines go to this process's own stderr. */
  readonly env?: Env
  readonly signal?: AbortSignal
  readonly isTerminal?: boolean
}

/** The version that `package.json` names. */
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }

/** Runs the CLI in this process: much faster, but without signals, `.env` and log lines. */
export async function callOrderly(args: readonly string[], options: CallOptions = {}): Promise<CliRun> {
  const { env = {}, signal = new AbortController().signal, isTerminal = false } = options
  let [stdout, stderr] = ['', '']
  const code = await runCli(args, version, {
    env: { LOG_LEVEL: 'silent', ...env },
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    isTerminal,
    signal,
  })
  return { code, signal: null, stdout, stderr }
}

/** What `--json` prints. */
export interface Envelope<Data = unknown> {
  readonly ok: boolean
  readonly command: string | null
  readonly data: Data
  readonly error: { readonly code: string; readonly message: string } | null
  readonly warnings: readonly string[]
  readonly cost: { readonly redisCommands: number; readonly requests: number }
}

/** The one object on stdout. Throws when there is anything else, or it ends without a line feed. */
export function envelopeOf<Data = unknown>({ stdout, stderr }: Pick<CliRun, 'stdout' | 'stderr'>): Envelope<Data> {
  const [line = '', ...rest] = stdout.split('\n')
  if (rest.length !== 1 || rest[0] !== '') throw new Error(`This is not one line:\n${stdout}\n--- stderr:\n${stderr}`)
  return JSON.parse(line)
}

/** Whether an output holds a stack trace or names a module of Node.js. */
export const hasStackTrace = ({ stdout, stderr }: Pick<CliRun, 'stdout' | 'stderr'>): boolean =>
  [stdout, stderr].some((text) => /^\s+at /m.test(text) || text.includes('node:internal'))

/** Characters that could steer a terminal or hide text: all controls but the line feed, and bidirectional marks. */
export const steeringIn = (text: string): readonly string[] =>
  text.match(/(?!\n)[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu) ?? []
