import type { FakeClock } from './clock.ts'
import { watched } from './transport.ts'
import { createUsage, type Usage } from '../../src/redis/budget/usage.ts'
import { createMeter, type Meter } from '../../src/redis/meter.ts'
import type { Transport } from '../../src/redis/transport.ts'

/** One boot of one instance: whatever goes through its meter is counted in its usage. */
export interface Boot {
  readonly bootId: string
  readonly usage: Usage
  readonly meter: Meter
  /** Spends commands as an instance does. */
  readonly spend: Transport
  /** What went through the meter, and whose requests a test may spoil. */
  readonly wire: ReturnType<typeof watched>
  /** Billed commands of the purpose `usage`. */
  usageCost(): number
}

export interface BootOptions {
  readonly clock: FakeClock
  readonly bootId: string
  /** @default 1 */
  readonly resetDay?: number
  /** Told of each billed command, too. */
  readonly onBilled?: (purpose: string, name: string) => void
}

/** Starts one more boot on a store; its usage has read nothing yet. In Berlin. */
export function bootOn(store: Transport, { clock, bootId, resetDay = 1, onBilled }: BootOptions): Boot {
  const wire = watched(store)
  const meter = createMeter(wire.send, {
    onBilled: (purpose, name) => {
      usage.charge(purpose, name)
      onBilled?.(purpose, name)
    },
  })
  const send = meter.open('usage').send
  const usage = createUsage({ send, clock, zone: 'Europe/Berlin', resetDay, bootId })
  const usageCost = () => meter.costByPurpose()['usage']?.billed ?? 0
  return { bootId, usage, meter, wire, usageCost, spend: meter.open('orders').send }
}
