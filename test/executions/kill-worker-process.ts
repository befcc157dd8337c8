import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ended } from '../support/ended.ts'
import type { Telling, Work } from './kill-steps.ts'
import type { WorkerTask, WorkerWord } from './kill-worker.ts'

/** A worker in a process of its own. */
export interface KillWorker {
  /** Lets it work on an execution, passing on what it tells. Resolves when it is done, or has died of whatever. */
  work(work: Work, telling: Telling): Promise<'done' | 'died'>
  /** By SIGKILL; resolves when it has ended. */
  kill(): Promise<void>
}

/** Starts a worker. Resolves when it waits for work. */
export async function startKillWorker(task: WorkerTask): Promise<KillWorker> {
  const path = fileURLToPath(new URL('kill-worker.ts', import.meta.url))
  const words = ['--import', import.meta.resolve('tsx'), path, JSON.stringify(task)]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', () => reject(new Error('A worker ended before it was ready.')))
  })
  return {
    work: (work, telling) => workIn(child, work, telling),
    kill: async () => {
      child.kill('SIGKILL')
      await ended(child)
    },
  }
}

function workIn(child: ChildProcess, work: Work, telling: Telling): Promise<'done' | 'died'> {
  return new Promise((resolve) => {
    const settle = (how: 'done' | 'died') => {
      child.off('message', onWord).off('disconnect', onEnd)
      resolve(how)
    }
    // It comes after the last word, unlike the end of the process itself.
    const onEnd = () => settle('died')
    const onWord = (word: WorkerWord) => {
      if (word.kind === 'done') settle('done')
      if (word.kind === 'begun') void telling.begun()
      if (word.kind === 'computes') void telling.computes(word.task, word.value)
      if (word.kind === 'finished') void telling.finished(word.results)
    }
    child.on('message', onWord).on('disconnect', onEnd)
    child.send(work)
  })
}
