import { readFileSync } from 'node:fs'
import { pino, type Logger } from 'pino'
import { readConfig, type Config } from './config.ts'
import { readEnvFile } from './env-file.ts'
import { ConfigError } from './errors.ts'
import { createLog } from './log.ts'
import { createService } from './service.ts'

/** The version in package.json, which lies beside both `src` and `dist`. */
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** Milliseconds after a signal in which another one changes nothing. */
const ONE_SIGNAL_MS = 1_000

/** Milliseconds for which something that hangs may keep the process alive after everything was stopped. */
const LINGER_MS = 500

try {
  const config = readConfig({ ...readEnvFile(), ...process.env })
  const log = createLog({ level: config.logLevel ?? 'info', destination: pino.destination({ dest: 1, sync: true }) })
  process.exitCode = await serve(config, log)
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  process.stderr.write(`${error.message}\nEvery variable is explained in docs/configuration.md.\n`)
  process.exitCode = 1
}

/**
 * Runs the service until a signal asks it to stop, and resolves with the exit code.
 *
 * @throws ConfigError when it cannot listen where it should.
 */
async function serve(config: Config, log: Logger): Promise<number> {
  // Node would print such an error as it is, with what it holds: tokens, texts of customers.
  process.on('uncaughtException', (error) => log.error({ err: error }, 'An error that nothing caught.'))
  const asked = firstSignal()
  try {
    const service = await createService({ config, log, version })
    await service.start()
    log.info({ event: 'service.stopping', signal: await asked }, 'Stopping.')
    await service.stop()
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
