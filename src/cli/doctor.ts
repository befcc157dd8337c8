import { IANAZone } from 'luxon'
import type { Clock } from '../clock.ts'
import { readConfig, variableNames } from '../config.ts'
import { AppError, ConfigError } from '../errors.ts'
import { ownVersion } from '../own-version.ts'
import { sumOf } from '../redis/meter.ts'
import { examineApp, type ExamineAppOptions } from './doctor-app.ts'
import { checkNames, fail, off, ok, type Check, type CheckName, type Finding } from './doctor-check.ts'
import { createHide } from './doctor-hiding.ts'
import { checkVersions, checkZoneData } from './doctor-local.ts'
import { doctorText } from './doctor-text.ts'
import type { Io } from './io.ts'
import { withApp } from './open-app.ts'
import type { CommandError, CommandResult } from './result.ts'

/** What a test hands in instead. */
export interface DoctorParts extends Omit<ExamineAppOptions, 'signal' | 'hide'> {
  readonly clock?: Clock
}

/**
 * `orderly doctor`: looks at everything that is configured and tells for each what is wrong and what puts it right. Takes at most
 * 15 s. An error when a check fails.
 *
 * Costs 3 commands; 1 more for each further sweep with a schedule and each further Redis, 1 without a bot, whose Telegram tells
 * the time for nothing, 1 in the first 14 days of a month, 2 to keep its baseline where the provider tells a running total, and 2
 * for each Redis of one's own (SLOWLOG and DBSIZE).
 */
export async function doctorCommand(io: Io, parts: DoctorParts = {}): Promise<CommandResult> {
  const configuration = checkConfiguration(io.env)
  const local: readonly Check[] = [
    ...configuration,
    { name: 'versions', ...checkVersions(process.versions.node, ownVersion()) },
    { name: 'zone data', ...checkZoneData(zoneIn(io.env), process.versions['tz'] ?? 'unknown') },
  ]
  const isUsable = configuration.every(({ verdict }) => verdict === 'ok')
  const { checks, cost } = isUsable ? await examine(io, parts) : { checks: [], cost: {} }
  const all = complete([...local, ...checks], isUsable)
  const { env, isOutTerminal = false, signal } = io
  return {
    data: { checks: all },
    text: doctorText(all, { isColoured: isOutTerminal && (env['NO_COLOR'] ?? '') === '' }),
    error: signal.aborted ? INTERRUPTED : errorOf(all),
    warnings: [],
    ...cost,
  }
}

const INTERRUPTED = { code: 'INTERRUPTED', message: 'Interrupted.' }

/** Every problem by the name of its variable, never with a value. */
function checkConfiguration(env: Io['env']): readonly Check[] {
  try {
    readConfig(env)
    const set = variableNames.filter((name) => (env[name] ?? '').trim() !== '')
    return [
      { name: 'configuration', ...ok(`${set.length} of ${variableNames.length} variables are set, none is wrong`) },
    ]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) => ({ name: 'configuration', ...fail(problem, SET_IT) }))
  }
}

const SET_IT = 'Set it at the host, or in .env, as docs/configuration.md says.'

function zoneIn(env: Io['env']): string {
  const zone = (env['TIME_ZONE'] ?? '').trim()
  return IANAZone.isValidZone(zone) ? zone : 'Europe/Berlin'
}

async function examine(io: Io, { clock, ...options }: DoctorParts) {
  const hide = createHide(io.env)
  try {
    return await withApp(
      io,
      async (app) => {
        const checks = await examineApp(app, { ...options, hide, signal: io.signal })
        return { checks, cost: { cost: app.stores.map(({ meter }) => meter.cost()).reduce(sumOf) } }
      },
      clock === undefined ? {} : { clock },
    )
  } catch (error) {
    // The parts could not even be put together, as with an address that no driver can read.
    if (!(error instanceof AppError)) throw error
    const check: Check = { name: 'orders redis', ...fail(hide(error.message), 'Check the variables of Redis.') }
    return { checks: [check], cost: {} }
  }
}

/** Every check in its order; those that nobody could make are off. */
function complete(checks: readonly Check[], isUsable: boolean): readonly Check[] {
  const missing: Finding = off(`not looked at, for the ${isUsable ? 'parts' : 'configuration'} cannot be used`)
  const of = (name: CheckName) => {
    const found = checks.filter((check) => check.name === name)
    return found.length > 0 ? found : [{ name, ...missing }]
  }
  return checkNames.flatMap(of)
}

function errorOf(checks: readonly Check[]): CommandError | null {
  const names = new Set(checks.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name))
  if (names.size === 0) return null
  return { code: 'DOCTOR', message: `These checks failed: ${[...names].join(', ')}.` }
}
