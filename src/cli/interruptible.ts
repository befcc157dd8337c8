import type { Connection } from '../redis/transport.ts'
import { withPatience } from './patience.ts'

/**
 * A connection that does not keep a person waiting: after the signal every request gets two more seconds and then ends as
 * interrupted, which nobody repeats. It may have been carried out all the same.
 */
export const interruptible = (connection: Connection, signal: AbortSignal): Connection => ({
  ...connection,
  send: (commands) =>
    withPatience(connection.send(commands), { signal, message: 'Interrupted; Redis had not answered yet.' }),
})
