import { spawn } from 'node:child_process'

/** The environment that programs of Redis are looked up and run in. */
export type ProgramEnv = Readonly<Record<string, string | undefined>>

/** How a program ended. */
export interface ProgramRun {
  /** Null when a signal ended it. */
  readonly code: number | null
  /** The first 100 000 characters of what it said. */
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env: ProgramEnv
  /** Only this program sees them. */
  readonly secrets?: Readonly<Record<string, string>>
  /** Ends it. */
  readonly signal: AbortSignal
}

const MOST_CHARACTERS = 100_000

/** What a program of Redis may know of our environment: where programs are, and whom TLS trusts. */
const PASSED = ['PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR'] as const

/** Of our environment only what a program of Redis needs. */
export const environmentOf = (env: ProgramEnv): Record<string, string> =>
  Object.fromEntries(PASSED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))

/**
 * Runs a program of Redis to its end; undefined where it is not installed. What it says may hold keys: read it, never show it.
 */
export async function runProgram(
  words: readonly [name: string, ...args: string[]],
  { env, secrets = {}, signal }: RunOptions,
): Promise<ProgramRun | undefined> {
  const [name, ...args] = words
  const child = spawn(name, args, {
    env: { ...environmentOf(env), ...secrets },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C reaches us alone; we end it.
    detached: true,
  })
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  if (signal.aborted) kill()
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout = (stdout + text).slice(0, MOST_CHARACTERS)))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, MOST_CHARACTERS)))
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' ? resolve(undefined) : reject(error),
      )
      child.once('close', (code) => resolve({ code, stdout, stderr }))
    })
  } finally {
    signal.removeEventListener('abort', kill)
  }
}
