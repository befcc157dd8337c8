import type * as bullmqPackage from 'bullmq'
import { ConfigError } from '../../errors.ts'

/** The package `bullmq` as far as it is used. */
export type BullmqPackage = Pick<typeof bullmqPackage, 'Queue'>

/**
 * Loads the package, which is an optional peer: who has BullMQ queues has it, nobody else needs it.
 *
 * @throws ConfigError when it is not installed.
 */
export async function loadBullmq(load: () => Promise<BullmqPackage> = importBullmq): Promise<BullmqPackage> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      throw new ConfigError(['BULLMQ_REDIS_URL needs the package bullmq: npm install bullmq@6.'])
    }
    throw error
  }
}

const importBullmq = async (): Promise<BullmqPackage> => await import('bullmq')
