import { createInterface } from 'node:readline'
import { fakeClock } from './clock.ts'
import { createInstance } from './schedule-instance.ts'

/** What a process of the schedule is told when it is started. */
export interface ScheduleTask {
  readonly url: string
  readonly now: string
  /** Stops for good at the first UNLINK: before it is sent, or after it was answered. */
  readonly hang?: 'before' | 'after'
}

/** What it says after each line that it was told. */
export interface ScheduleState {
  readonly runs: readonly { readonly outcome: string; readonly deleted: number; readonly asOf: string }[]
  readonly isHanging: boolean
}

// Run as a process of its own: an instance whose clock stands until a line of stdin (an ISO instant) moves it.
if (process.argv[2] !== undefined) await serve(JSON.parse(process.argv[2]))

async function serve({ url, now, hang }: ScheduleTask): Promise<void> {
  const clock = fakeClock(now)
  const instance = await createInstance({ clock, env: { REDIS_URL: url } })
  const say = (isHanging: boolean) => {
    const runs = instance.runs.map(({ report: { outcome, deleted, asOf } }) => ({ outcome, deleted, asOf }))
    const state: ScheduleState = { runs, isHanging }
    console.log(JSON.stringify(state))
  }
  instance.transport.onRequest = async (commands, carryOut) => {
    const isMeant = hang !== undefined && commands.some(([name]) => name === 'UNLINK')
    if (!isMeant) return await carryOut()
    if (hang === 'after') await carryOut()
    say(true)
    return await new Promise<never>(() => undefined)
  }
  await instance.start()
  say(false)
  for await (const line of createInterface({ input: process.stdin })) {
    clock.moveTo(line)
    await instance.check()
    say(false)
  }
  await instance.stop()
}
