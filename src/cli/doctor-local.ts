import { createRequire } from 'node:module'
import { IANAZone } from 'luxon'
import type { Config } from '../config.ts'
import { fail, ok, off, warn, type Finding } from './doctor-check.ts'

/** Node.js 20.19, as package.json says. */
const OLDEST_NODE = [20, 19] as const

/** Whether this Node.js is new enough. */
export function checkVersions(node: string, orderly: string): Finding {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  const isEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
  const detail = `Orderly ${orderly}, Node.js ${node}`
  return isEnough ? ok(detail) : fail(`${detail}, which is too old`, 'Install Node.js 20.19 or newer.')
}

/** Offsets from UTC in minutes that a rule change of the last years decides; the zone data of older releases says another. */
const recentRules = [
  { zone: 'America/Mexico_City', at: '2023-07-01T12:00:00Z', minutes: -360, since: '2022f' },
  { zone: 'Africa/Cairo', at: '2024-07-01T12:00:00Z', minutes: 180, since: '2023c' },
  { zone: 'Asia/Almaty', at: '2024-07-01T12:00:00Z', minutes: 300, since: '2024a' },
  { zone: 'America/Asuncion', at: '2025-07-01T12:00:00Z', minutes: -180, since: '2025a' },
] as const

/** Offsets that no zone data may have wrong. */
const basicRules = [
  { zone: 'Europe/Berlin', at: '2026-01-15T12:00:00Z', minutes: 60 },
  { zone: 'Europe/Berlin', at: '2026-07-15T12:00:00Z', minutes: 120 },
  { zone: 'UTC', at: '2026-07-15T12:00:00Z', minutes: 0 },
] as const

interface OffsetRule {
  readonly zone: string
  readonly at: string
  readonly minutes: number
}

/** The offset of a zone at an instant, in minutes; NaN where the zone is unknown. */
export type OffsetOf = (zone: string, ms: number) => number

const systemOffset: OffsetOf = (zone, ms) => (IANAZone.isValidZone(zone) ? IANAZone.create(zone).offset(ms) : NaN)

/** Whether this machine knows when the clocks change. `release` is that of its zone data, such as `2025b`. */
export function checkZoneData(zone: string, release: string, offsetOf: OffsetOf = systemOffset): Finding {
  const isKept = ({ zone: name, at, minutes }: OffsetRule) => offsetOf(name, Date.parse(at)) === minutes
  const system = new Intl.DateTimeFormat().resolvedOptions().timeZone
  const own = system === zone ? '' : `; the system's own zone is ${system}, which does not matter`
  const detail = `${zone}, zone data ${release}${own}`
  if (!basicRules.every(isKept) || Number.isNaN(offsetOf(zone, Date.parse('2026-01-15T12:00:00Z')))) {
    return fail(`${detail}: it does not know the zone, or when Berlin changes its clocks`, NEWER_NODE)
  }
  const missed = recentRules.find((one) => !isKept(one))
  if (missed === undefined) return ok(detail)
  return warn(`${detail}: older than ${missed.since}, so newer rules of some zones are missing`, NEWER_NODE)
}

const NEWER_NODE = 'Install a current Node.js release that was built with full ICU; it brings the zone data.'

interface Needed {
  readonly name: string
  readonly variable: string
  readonly install: string
}

/** Optional packages, where something that is configured needs them. */
const neededBy = ({ bullmq, engine, inngest }: Config): readonly Needed[] => [
  ...(bullmq ? [{ name: 'bullmq', variable: 'BULLMQ_REDIS_URL', install: 'npm install bullmq@6' }] : []),
  ...(engine ? [{ name: 'inngest', variable: 'INNGEST_APP_ID', install: 'npm install inngest' }] : []),
  ...(inngest?.database.kind === 'sqlite'
    ? [{ name: 'libsql', variable: 'INNGEST_DATABASE_URL', install: 'npm install libsql' }]
    : []),
]

/** Whether the optional packages that the configuration needs are installed. */
export function checkPackages(config: Config, isInstalled: (name: string) => boolean = isFound): Finding {
  const needed = neededBy(config)
  if (needed.length === 0) return off('nothing that is configured needs an optional package')
  const missing = needed.filter(({ name }) => !isInstalled(name))
  if (missing.length === 0) return ok(`installed: ${needed.map(({ name }) => name).join(', ')}`)
  const detail = missing.map(({ name, variable }) => `${variable} needs ${name}, which is not installed`).join('; ')
  return fail(detail, missing.map(({ install }) => install).join(' && '))
}

/** Found but not to be required, as a package of modules only is, counts as installed. */
function isFound(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')
  }
}
