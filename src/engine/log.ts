import type { Logger as PackageLogger } from 'inngest'
import type { Logger } from 'pino'

/**
 * What the package says, as lines of our log at no more than the given level: its sentence and the facts of an error, never
 * the objects that it adds, for those hold payloads.
 */
export function packageLogger(log: Logger, most: 'debug' | 'warn'): PackageLogger {
  const write =
    (level: 'debug' | 'warn') =>
    (...given: readonly unknown[]): void => {
      const said = given.find((one) => typeof one === 'string')
      const err = given.map(errorIn).find((one) => one !== undefined)
      log[level]({ event: 'engine.said', ...(err !== undefined && { err }) }, said ?? 'engine.said')
    }
  return { debug: write('debug'), info: write('debug'), warn: write(most), error: write(most) }
}

const errorIn = (given: unknown): Error | undefined => {
  if (given instanceof Error) return given
  const isHolder = typeof given === 'object' && given !== null && 'err' in given
  return isHolder && given.err instanceof Error ? given.err : undefined
}
