import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { readConfig } from './config.ts'
import { readEnvFile } from './env-file.ts'
import { ConfigError } from './errors.ts'
import { createLog } from './log.ts'
import { ownVersion } from './own-version.ts'
import { createService, type ServiceOptions } from './service.ts'

/** Milliseconds after a signal in which another one changes nothing. */
const ONE_SIGNAL_MS = 1_000

/** Milliseconds for which something that hangs may keep the process alive after everything was stopped. */
const LINGER_MS = 500

const USAGE = 'Usage: npm start [-- --seed]\n  --seed  puts the story of the sandbox into the configured Redis\n'

const isWrongUse = (error: unknown) =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')

try {
  const { seed: seeds = false } = parseArgs({ options: { seed: { type: 'boolean' } } }).values
  const config = readConfig({ ...readEnvFile(), ...process.env })
  const log = createLog({ level: config.logLevel ?? 'info', destination: pino.destination({ dest: 1, sync: true }) })
  process.exitCode = await serve({ config, log, version: ownVersion(), seeds })
} catch (error) {
  if (isWrongUse(error)) {
    process.stderr.write(USAGE)
    process.exitCode = 2
  } else if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\nEvery variable is explained in docs/configuration.md.\n`)
    process.exitCode = 1
  } else throw error
}

/**
 * Runs the service until a signal asks it to stop, and resolves with the exit code.
 *
 * @throws ConfigError when it cannot listen where it should.
 */
async function serve(options: ServiceOptions): Promise<number> {
  const { config, log } = options
  // Node would print such an error as it is, with what it holds: tokens, texts of customers.
  process.on('uncaughtException', (error) => log.error({ err: error }, 'An error that nothing caught.'))
  const asked = firstSignal()
  try {
    let end = await runOnce(options, asked)
    // The page that asked for it looks for the next service at the same address. A Redis keeps what was put in.
    while (end.signal === undefined) {
      end = await runOnce({ ...options, seeds: false, config: { ...config, port: end.port } }, asked)
    }
    log.info({ event: 'service.stopped' }, 'Stopped.')
    return 0
  } catch (error) {
    if (error instanceof ConfigError) throw error
    log.error({ err: error }, 'The service failed.')
    return 1
  } finally {
    // Whoever started the process would wait for what hangs, and kill it in the end.
    setTimeout(() => process.exit(), LINGER_MS).unref()
  }
}

interface End {
  /** Undefined when the sandbox was asked to start over. */
  readonly signal: string | undefined
  readonly port: number
}

/** Runs one service until a signal comes or its sandbox is asked to start over. */
async function runOnce(options: ServiceOptions, asked: Promise<string>): Promise<End> {
  const wish = new AbortController()
  const startedOver = once(wish.signal, 'abort').then(() => undefined)
  const service = await createService({ ...options, onStartOver: () => wish.abort() })
  await service.start()
  const signal = await Promise.race([asked, startedOver])
  options.log.info(
    { event: 'service.stopping', signal: signal ?? null },
    signal === undefined ? 'Starting over.' : 'Stopping.',
  )
  // An address does not name the port 80.
  const port = Number(new URL(service.url()).port || 80)
  await service.stop()
  return { signal, port }
}

/**
 * The first signal that asks the process to end. `npm start` passes on the Ctrl-C that the terminal has sent already, so
 * more of them change nothing for a second; one after that ends the process at once.
 */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    const onSignal = (signal: string) => {
      resolve(signal)
      setTimeout(() => process.off('SIGTERM', onSignal).off('SIGINT', onSignal), ONE_SIGNAL_MS).unref()
    }
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  })
}
