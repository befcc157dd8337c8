import type * as inngestPackage from 'inngest'
import type { fastifyPlugin } from 'inngest/fastify'
import { ConfigError } from '../errors.ts'

/** The package `inngest` as far as it is used: what functions are made with, and what serves them. */
export interface InngestPackage {
  readonly inngest: typeof inngestPackage
  readonly plugin: typeof fastifyPlugin
}

/**
 * Loads the package, which is an optional peer: it weighs more than all the rest of Orderly, and few need it.
 *
 * @throws ConfigError when it is not installed.
 */
export async function loadInngest(load: () => Promise<InngestPackage> = importInngest): Promise<InngestPackage> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      throw new ConfigError(['INNGEST_APP_ID needs the package inngest: npm install inngest'])
    }
    throw error
  }
}

async function importInngest(): Promise<InngestPackage> {
  const [inngest, { fastifyPlugin: plugin }] = await Promise.all([import('inngest'), import('inngest/fastify')])
  return { inngest, plugin }
}
