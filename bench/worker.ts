import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../src/clock.ts'
import { connect } from '../src/redis/connect.ts'
import { ask, type Connection } from '../src/redis/transport.ts'
import { prepareChange } from './change-ways.ts'
import { prepareInngest } from './inngest/sweep-way.ts'
import type { Job, Message, Result } from './job.ts'
import { watchMemory, watchTraffic } from './measure.ts'
import { preparePrune, type Prepare, type Work } from './prune-ways.ts'

function tell(message: Message): void {
  process.send?.(message)
}

/** Milliseconds after which an idle process counts as at rest. */
const REST_MS = 500

function prepareFor(wanted: Job): Prepare {
  switch (wanted.kind) {
    case 'idle':
      return async () => async () => {
        await sleep(REST_MS)
        return { done: 0, own: null }
      }
    case 'prune':
      return preparePrune[wanted.way]
    case 'change':
      return prepareChange[wanted.way](wanted.changes)
    case 'inngest':
      return prepareInngest(wanted.inngest)
    default:
      return wanted satisfies never
  }
}

/** Counts requests where the driver gets them: below the meter, and for ways without one. */
function counting({ kind, send, close }: Connection): Connection & { requests(): number } {
  let sent = 0
  return {
    kind,
    close,
    send: (commands) => {
      sent += 1
      return send(commands)
    },
    requests: () => sent,
  }
}

interface Counts {
  readonly requests: number
  readonly sent: number
  readonly received: number
}

async function measured(run: () => Promise<Work>, counts: () => Counts): Promise<Result> {
  const before = counts()
  const memory = watchMemory()
  const startedAtMs = performance.now()
  const { done, own } = await run()
  const ms = performance.now() - startedAtMs
  const peakBytes = memory.stop()
  const after = counts()
  return {
    done,
    own,
    ms,
    peakBytes,
    requests: after.requests - before.requests,
    sentBytes: after.sent - before.sent,
    receivedBytes: after.received - before.received,
  }
}

// A process of its own for one row: prepares, says `ready`, waits for `go`, works, says what it measured and ends.
process.once('disconnect', () => process.exit(1))
const job: Job = JSON.parse(process.argv[2] ?? '')
const traffic = watchTraffic()
const { requests, ...connection } = counting(await connect(job.target, { clock: systemClock }))
// Connects and loads everything that a request needs, so that an idle process has it too.
await ask(connection.send, ['PING'])
const work = await prepareFor(job)(connection, job)
tell({ kind: 'ready' })
await once(process, 'message')
const counts = () => ({ requests: requests(), sent: traffic.sent(), received: traffic.received() })
tell({ kind: 'done', result: await measured(work, counts) })
await connection.close()
process.removeAllListeners('disconnect')
process.disconnect()
