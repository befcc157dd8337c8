import { once } from 'node:events'
import { Redis } from 'ioredis'
import type { RedisServer } from './redis-server.ts'

/** What something cost: commands that clients sent, and all that the server carried out, those inside scripts too. */
export interface Cost {
  readonly sent: number
  readonly carriedOut: number
}

/** Measures with the server's own statistics; what was sent is what its monitor saw come from outside of scripts. */
export interface CostMeter {
  costOf(work: () => Promise<unknown>): Promise<Cost>
  close(): void
}

/** Asking for statistics, and finding the end. */
const OWN = new Set(['AUTH', 'CONFIG', 'INFO', 'ECHO'])
const END = 'end of the work'

/** A meter of one server, which must have no other clients. */
export async function meterCosts(server: RedisServer): Promise<CostMeter> {
  const redis = new Redis(server.url)
  const monitor = await redis.monitor()
  let sent = 0
  monitor.on('monitor', (_time: string, [name = '', ...args]: string[], source: string) => {
    if (args[0] === END) monitor.emit(END)
    else if (source !== 'lua' && !OWN.has(name.toUpperCase())) sent += 1
  })
  return {
    costOf: async (work) => {
      await server.resetStats()
      const before = sent
      await work()
      const stats = await server.stats()
      const seen = once(monitor, END)
      await redis.echo(END)
      await seen
      const calls = Object.entries(stats).filter(([name]) => !OWN.has(name))
      return { sent: sent - before, carriedOut: calls.reduce((sum, [, count]) => sum + count, 0) }
    },
    close: () => {
      monitor.disconnect()
      redis.disconnect()
    },
  }
}
