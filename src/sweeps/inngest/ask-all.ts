import { RedisError } from '../../errors.ts'
import { valueOf, type Command, type Transport, type Value } from '../../redis/transport.ts'
import { chunks } from './chunks.ts'

/** Commands of one request: few enough for Redis to serve others in between, enough to make round trips not matter. */
const COMMANDS_PER_REQUEST = 900

/**
 * Sends any number of commands, at most 900 a request, and resolves with one value each.
 *
 * @throws RedisError when a single one was refused or has no answer.
 */
export async function askAll(send: Transport, commands: readonly Command[]): Promise<readonly Value[]> {
  const values: Value[] = []
  for (const batch of chunks(commands, COMMANDS_PER_REQUEST)) {
    const replies = await send(batch)
    if (replies.length !== batch.length) {
      throw new RedisError('REDIS_UNREACHABLE', 'Redis did not answer each command of a request.')
    }
    for (const reply of replies) values.push(valueOf(reply))
  }
  return values
}
