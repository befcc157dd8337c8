import { setTimeout as sleep } from 'node:timers/promises'
import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { createTcpConnection } from '../../src/redis/tcp.ts'
import { figureOf, readInfo } from '../../src/redis/info.ts'
import { ask, integerOf, type Transport } from '../../src/redis/transport.ts'
import { startRedisServer, type RedisServer } from '../../test/support/redis-server.ts'
import { nextMessage, start } from '../children.ts'
import type { Extent } from '../plan.ts'
import type { Load, LoadMessage, LoadResult } from './load.ts'

/** What is held in memory at one moment, in bytes. */
export interface MemorySample {
  readonly afterSeconds: number
  readonly redisBytes: number
  /** Resident, of each worker. */
  readonly workerBytes: readonly number[]
}

/** All that was measured of a load of executions. */
export interface ExecutionsMeasured {
  readonly seconds: number
  readonly perMinute: number
  readonly tasks: number
  readonly ttlSeconds: number
  readonly workers: readonly LoadResult[]
  /** At the beginning, in the middle and at the end. */
  readonly memory: readonly MemorySample[]
  /** Commands that the server carried out, those inside scripts too. */
  readonly carriedOut: number
  /** Keys that were there at the end of the work, and how many are left after their time to live. */
  readonly keysAtEnd: number
  readonly keysLeft: number
  readonly problems: readonly string[]
}

export interface ExecutionsRunOptions {
  readonly extent: Extent
  /** Told of each step. */
  readonly say: (text: string) => void
}

const PER_MINUTE = 10_000
const WORKERS = 2
const TTL_MS = 5_000
const TASKS = ['reserve', 'charge', 'notify']

const SECONDS: Readonly<Record<Extent, number>> = { short: 10, default: 30, full: 60 }

/**
 * Lets two workers run 10 000 executions a minute on a redis-server that it starts. A tenth of them is given up halfway, so
 * that there is something to expire; the first sample is taken when as many expire as are given up.
 */
export async function runExecutions({ extent, say }: ExecutionsRunOptions): Promise<ExecutionsMeasured> {
  const seconds = SECONDS[extent]
  say(`executions: ${PER_MINUTE} a minute for ${seconds} s, ${WORKERS} workers`)
  const server = await startRedisServer()
  const { send, close } = createTcpConnection({ url: server.url, deadlineMs: 30_000 })
  try {
    return await measure({ server, send, seconds })
  } finally {
    await close()
    await server.stop()
  }
}

interface Stage {
  readonly server: RedisServer
  readonly send: Transport
  readonly seconds: number
}

async function measure({ server, send, seconds }: Stage): Promise<ExecutionsMeasured> {
  const executionsPerSecond = PER_MINUTE / 60 / WORKERS
  const load: Load = { url: server.url, prefix: 'bench:', ttlMs: TTL_MS, tasks: TASKS, executionsPerSecond, seconds }
  const children = await Promise.all(Array.from({ length: WORKERS }, () => startWorker(load)))
  await server.resetStats()
  const work = Promise.all(children.map(workWith))
  // Thrown where it is awaited; until then it must not count as unhandled.
  work.catch(() => undefined)
  const memory: MemorySample[] = []
  let elapsed = 0
  for (const afterSeconds of samplesIn(seconds)) {
    await sleep((afterSeconds - elapsed) * 1_000)
    elapsed = afterSeconds
    memory.push({ afterSeconds, ...(await sample(send, children)) })
  }
  const workers = await work
  const stats = await server.stats()
  const keysAtEnd = integerOf(await ask(send, ['DBSIZE']))
  // The server may remove what has expired a little later.
  await sleep(TTL_MS + 5_000)
  const keysLeft = integerOf(await ask(send, ['DBSIZE']))
  const measured = {
    seconds,
    perMinute: PER_MINUTE,
    tasks: TASKS.length,
    ttlSeconds: TTL_MS / 1_000,
    workers,
    memory,
    carriedOut: callsIn(stats),
    keysAtEnd,
    keysLeft,
  }
  return { ...measured, problems: problemsOf(measured) }
}

/** The last one a little before the end of the work, when the workers still answer. */
const samplesIn = (seconds: number) => {
  const [first, last] = [TTL_MS / 1_000 + 1, seconds - 0.5]
  return [first, (first + last) / 2, last]
}

async function sample(send: Transport, children: readonly ChildProcess[]) {
  const workerBytes = await Promise.all(children.map(memoryOf))
  const redisBytes = figureOf(await readInfo(send), 'used_memory') ?? 0
  return { redisBytes, workerBytes }
}

async function startWorker(load: Load): Promise<ChildProcess> {
  const child = start('executions/worker.ts', JSON.stringify(load))
  await nextMessage(child)
  return child
}

type MessageOf<Kind extends LoadMessage['kind']> = Extract<LoadMessage, { readonly kind: Kind }>

const isOf = <Kind extends LoadMessage['kind']>(message: LoadMessage, kind: Kind): message is MessageOf<Kind> =>
  message.kind === kind

/** The next message of a kind; others are for others. Rejects when the worker ends first. */
function messageOf<Kind extends LoadMessage['kind']>(child: ChildProcess, kind: Kind): Promise<MessageOf<Kind>> {
  return new Promise((resolve, reject) => {
    const onEnd = () => reject(new Error('A worker of the bench ended before it was done; see above.'))
    const onMessage = (message: LoadMessage) => {
      if (!isOf(message, kind)) return
      child.off('message', onMessage).off('disconnect', onEnd)
      resolve(message)
    }
    child.on('message', onMessage).once('disconnect', onEnd)
  })
}

async function memoryOf(child: ChildProcess): Promise<number> {
  const answer = messageOf(child, 'memory')
  child.send('memory')
  return (await answer).bytes
}

async function workWith(child: ChildProcess): Promise<LoadResult> {
  const ended = once(child, 'exit')
  const answer = messageOf(child, 'done')
  child.send('go')
  const { result } = await answer
  await ended
  return result
}

/** Commands that are none of the workers' own. */
const FOREIGN = new Set(['CONFIG', 'DBSIZE', 'INFO', 'CLIENT', 'HELLO'])

const callsIn = (stats: Readonly<Record<string, number>>) =>
  Object.entries(stats).reduce((sum, [name, calls]) => (FOREIGN.has(name) ? sum : sum + calls), 0)

function problemsOf({
  workers,
  keysLeft,
  keysAtEnd,
  seconds,
}: Omit<ExecutionsMeasured, 'problems'>): readonly string[] {
  const count = workers.reduce((sum, { finished, abandoned }) => sum + finished + abandoned, 0)
  const errors = workers.flatMap(({ errors: { sample: texts } }) => texts)
  const wanted = Math.floor((PER_MINUTE / 60) * seconds)
  const problems = errors.map((text) => `executions: ${text}`)
  if (count < wanted) problems.push(`executions: ${count} instead of ${wanted} were run.`)
  if (keysAtEnd === 0) problems.push('executions: nothing was left to expire, so nothing was shown.')
  if (keysLeft > 0) problems.push(`executions: ${keysLeft} keys are left after their time to live.`)
  return problems
}
