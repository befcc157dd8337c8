import { isErrorReply, openResp, type RespConnection } from '../../test/support/resp.ts'
import { isAlive, isOrphaned, isUnfinished, type InngestStore } from './store.ts'

type Command = readonly (string | number)[]

const ACCOUNT = '00000000-0000-4000-a000-000000000000'
const FUNCTION = 'a8fd5300-06f2-541e-8b69-ded0c0c7c233'

/** Commands of one request. */
const PIPELINE = 5_000

/** Of the further keys this many are idempotency keys, the others the queue's memory of what it has seen. */
const IDEMPOTENCY_SHARE = 0.3

/** Fills an empty Redis with the state of the live runs, some that nobody needs any more, and short-lived keys. */
export async function fillState(url: string, { keys }: InngestStore, runIds: readonly string[]): Promise<void> {
  const connection = await openResp(url)
  try {
    const state = runIds.flatMap((id, run) => (isAlive(run) || isOrphaned(run) ? stateOf(id, run) : []))
    const others = Array.from({ length: keys - state.length }, (_, number) => shortLived(number, keys))
    const commands = [...state, ...others]
    for (let at = 0; at < commands.length; at += PIPELINE) await send(connection, commands.slice(at, at + PIPELINE))
  } finally {
    connection.close()
  }
}

async function send(connection: RespConnection, commands: readonly Command[]): Promise<void> {
  const refused = (await connection.call(commands)).find(isErrorReply)
  if (refused !== undefined) throw new Error(`The Redis of the bench could not be filled: ${refused.error}`)
}

/** A run's keys, as a server writes them; one that is alive also waits for something or has a job. */
function stateOf(id: string, run: number): Command[] {
  const key = (part: string) => `{estate:${id}}:${part}:${id}`
  const commands: Command[] = [
    ['HSET', key('metadata'), 'id', JSON.stringify({ runID: id, wID: FUNCTION, key: '' }), 'status', 200, 'sat', 0],
    ['RPUSH', key('stack'), `step-${run}`],
    ['HSET', key(`actions:${FUNCTION}`), `step-${run}`, RESULT],
    ['SET', key(`bulk-events:${FUNCTION}`), RESULT],
  ]
  if (!isUnfinished(run)) return commands
  const isWaiting = run % 3 === 0
  return [
    ...commands,
    isWaiting ? ['SADD', `{estate}:pr:${id}`, `pause-${run}`] : ['ZADD', `{queue}:idx:run:${id}`, run, `job-${run}`],
  ]
}

const RESULT = JSON.stringify({ data: { order: 'x'.repeat(200), sku: 'Zimtschnecke', amount: 2 } })

const DAY_SECONDS = 86_400
const HOUR_SECONDS = 3_600

/** Every third idempotency key has no expiry, as older servers wrote them. */
function shortLived(number: number, keys: number): Command {
  if (number >= keys * IDEMPOTENCY_SHARE) {
    return ['SET', `{queue}:queue:seen:${number.toString(36).padStart(13, '0')}`, '', 'EX', HOUR_SECONDS]
  }
  const key = `{estate:${ACCOUNT}}:key:${number.toString(36).padStart(13, '0')}`
  return number % 3 === 0 ? ['SET', key, '1'] : ['SET', key, '1', 'EX', DAY_SECONDS]
}
