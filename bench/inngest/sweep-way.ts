import { setTimeout as sleep } from 'node:timers/promises'
import { createApp } from '../../src/app.ts'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import type { InngestTarget } from '../job.ts'
import type { Prepare } from '../prune-ways.ts'
import { FACTOR, RETENTION_DAYS } from './store.ts'

/** Milliseconds after which an idle process counts as at rest. */
const REST_MS = 500

/** The sweep as the product runs it; or, for comparison, nothing at all in the same process. */
export const prepareInngest =
  ({ databaseUrl, redisUrl, isIdle }: InngestTarget): Prepare =>
  async (connection, { asOfMs }) => {
    const config = readConfig({
      INNGEST_DATABASE_URL: databaseUrl,
      INNGEST_REDIS_URL: redisUrl,
      INNGEST_RETENTION_DAYS: String(RETENTION_DAYS),
      INNGEST_DOUBLE_RETENTION: String(FACTOR),
    })
    const log = createLog({ level: 'info', destination: { write: () => {} } })
    const { sweeps, stores, close } = await createApp(config, log, { clock: systemClock, connection })
    await stores
      .find(({ name }) => name === 'inngest')
      ?.meter.open('sweep:inngest')
      .send([['PING']])
    return async () => {
      if (isIdle || sweeps.inngest === undefined) {
        await sleep(REST_MS)
        await close()
        return { done: 0, own: null }
      }
      const { report } = await sweeps.inngest({ trigger: 'cli', dryRun: false, asOfMs })
      await close()
      const { commands, billedCommands: billed, requests, outcome, mode, summary, because } = report
      const said = [mode, summary, because].filter((text) => text !== null).join('. ')
      return { done: report.deleted, own: { commands, billed, requests, outcome, said } }
    }
  }
