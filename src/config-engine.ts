import type { ReadValue } from './config-variables.ts'
import type { Config, EngineConfig } from './config.ts'

/** Every variable is read, so that a wrong one is told although the sweeps are no functions of an Inngest. */
export function readEngine(
  value: ReadValue,
  isProduction: boolean,
  problems: string[],
): Pick<Config, 'engine' | 'scheduler'> {
  const appId = value('INNGEST_APP_ID')
  const scheduler = value('SCHEDULER') ?? 'local'
  const { isDev, url } = value('INNGEST_DEV') ?? { isDev: false, url: undefined }
  const [eventKey, signingKey] = [value('INNGEST_EVENT_KEY'), value('INNGEST_SIGNING_KEY')]
  const engine = { eventKey, signingKey, isDev, baseUrl: value('INNGEST_BASE_URL') ?? url }

  if (appId === undefined) {
    if (scheduler === 'inngest') problems.push('INNGEST_APP_ID is required with SCHEDULER=inngest.')
    return { engine: undefined, scheduler }
  }
  problems.push(...problemsWith(engine, isProduction))
  return { engine: { appId, ...engine }, scheduler }
}

function* problemsWith({ isDev, eventKey, signingKey }: Omit<EngineConfig, 'appId'>, isProduction: boolean) {
  const unlessDev = 'is required with INNGEST_APP_ID, unless INNGEST_DEV is set.'
  if (isDev && isProduction) {
    yield 'INNGEST_DEV must not be set where NODE_ENV is production, or RENDER is set: anybody could call the functions.'
  }
  if (isDev) return
  if (eventKey === undefined) yield `INNGEST_EVENT_KEY ${unlessDev}`
  if (signingKey === undefined) yield `INNGEST_SIGNING_KEY ${unlessDev}`
}
