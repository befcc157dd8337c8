import { isRedisError } from '../errors.ts'
import type { Connection } from './transport.ts'

/** A connection that remembers whether the server answered last time. */
export interface WatchedConnection extends Connection {
  /** True until a request got no answer, and again as soon as one does. */
  isWell(): boolean
}

/** Watches what goes through a connection anyway; asks nothing itself. */
export function watchConnection(connection: Connection): WatchedConnection {
  let isWell = true
  return {
    ...connection,
    isWell: () => isWell,
    send: async (commands) => {
      try {
        const replies = await connection.send(commands)
        isWell = true
        return replies
      } catch (error) {
        isWell = !isRedisError(error, 'REDIS_UNREACHABLE')
        throw error
      }
    },
  }
}
