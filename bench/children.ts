import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { RedisTarget } from '../src/config.ts'
import type { Job, Message, Result } from './job.ts'

/** Milliseconds after which a worker has hung. The slowest way takes about two minutes on two busy cores. */
const WORKER_LIMIT_MS = 15 * 60_000

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A worker that has prepared itself and waits. */
export interface Worker {
  /** Lets it work and resolves with what it measured, after the process has ended. */
  go(): Promise<Result>
}

/** Starts a process for one job. Resolves when it is ready to begin. */
export async function startWorker(job: Job): Promise<Worker> {
  const child = start('worker.ts', JSON.stringify(job))
  const limit = setTimeout(() => child.kill('SIGKILL'), WORKER_LIMIT_MS)
  child.once('exit', () => clearTimeout(limit))
  await nextMessage(child)
  return {
    go: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      const answer = nextMessage(child)
      child.send('go')
      const message = (await answer) as Message
      await ended
      if (message.kind !== 'done') throw new Error('A worker of the bench spoke out of turn.')
      return message.result
    },
  }
}

/** The REST server in a process of its own, which ends with this one. */
export interface RestProcess {
  readonly target: RedisTarget
  stop(): void
}

/** Starts the REST server in front of a Redis. */
export async function startRest(redisUrl: string): Promise<RestProcess> {
  const child = start('rest.ts', redisUrl)
  const target = (await nextMessage(child)) as RedisTarget
  return { target, stop: () => void child.kill('SIGTERM') }
}

/** The same cap as in the first line of the product's `orderly` command; every way runs under it. */
const HEAP_CAP = '--max-old-space-size=256'

/** Starts a file of the bench with one argument, able to exchange messages. It ends with this process at the latest. */
export function start(file: string, argument: string): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [HEAP_CAP, '--import', import.meta.resolve('tsx'), path, argument], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** The next message of a child. Rejects when it ends first. */
export function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error('A process of the bench ended before it was done; see above.'))
    child.once('error', reject).once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}
