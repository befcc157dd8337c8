import type { Inngest, SendEventBaseOutput } from 'inngest'
import type { Logger } from 'pino'
import type { EngineConfig } from '../config.ts'
import type { Failures } from './failures.ts'
import type { InngestPackage } from './load.ts'
import { packageLogger } from './log.ts'

export interface ClientOptions {
  readonly config: EngineConfig
  readonly log: Logger
  readonly failures: Failures
}

/** The package's view of this application. Nothing is sent before a function runs or the engine registers us. */
export function createClient(inngest: InngestPackage['inngest'], { config, log, failures }: ClientOptions): Inngest {
  const { appId, eventKey, signingKey, isDev, baseUrl } = config
  const outward = (error: unknown): never => {
    throw failures.outward(error)
  }
  /** Errors leave steps and functions as ours, also those of the package's own steps. */
  class OutwardErrors extends inngest.Middleware.BaseMiddleware {
    readonly id = 'outward-errors'

    override async wrapStepHandler({ next }: { readonly next: () => Promise<unknown> }): Promise<unknown> {
      return await next().catch(outward)
    }

    override async wrapSendEvent({ next }: { readonly next: () => Promise<SendEventBaseOutput> }) {
      return await next().catch((error: unknown) => {
        log.warn({ event: 'engine.unsent', err: error }, 'engine.unsent')
        throw failures.ofRun('UNSENT', UNSENT)
      })
    }

    override async wrapFunctionHandler({ next }: { readonly next: () => Promise<unknown> }): Promise<unknown> {
      return await next().catch(outward)
    }
  }
  return new inngest.Inngest({
    id: appId,
    isDev,
    ...(eventKey !== undefined && { eventKey }),
    ...(signingKey !== undefined && { signingKey }),
    ...(baseUrl !== undefined && { baseUrl }),
    // What it says of failing functions is told by `Failures` and by the runs themselves.
    logger: packageLogger(log, 'debug'),
    internalLogger: packageLogger(log, 'warn'),
    middleware: [OutwardErrors],
    // Each step is a request of its own, which ends long before anything on the way gives it up.
    checkpointing: false,
    aiMetadata: false,
  })
}

const UNSENT = 'The engine did not take the events. Check INNGEST_EVENT_KEY and INNGEST_BASE_URL.'
