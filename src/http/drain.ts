import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Ends a server without waiting for clients that keep their connections. */
export interface Drain {
  /** True from the moment in which `close` was called. */
  readonly isClosing: () => boolean
  /**
   * Takes no new connection, lets the requests in flight be answered for at most `deadlineMs`, then cuts what is left.
   * Resolves with how many requests were cut.
   */
  close(deadlineMs: number): Promise<number>
}

/** Watches a server's answers, so that closing can tell a connection in use from one that is only kept. */
export function createDrain(server: Server): Drain {
  const open = new Map<ServerResponse, Socket>()
  let whenAnswered: (() => void) | undefined
  const forget = (answer: ServerResponse) => {
    open.delete(answer)
    if (open.size === 0) whenAnswered?.()
  }

  server.prependListener('request', ({ socket }, answer) => {
    if (whenAnswered !== undefined) endsConnection(answer)
    open.set(answer, socket)
    answer.once('close', () => forget(answer))
  })
  // An answer that waits behind another one for its connection is never closed by itself.
  server.on('connection', (socket) => {
    socket.once('close', () => [...open].filter(([, of]) => of === socket).forEach(([answer]) => forget(answer)))
  })

  return {
    isClosing: () => whenAnswered !== undefined,
    close: async (deadlineMs) => {
      const answered = new Promise<void>((resolve) => {
        whenAnswered = resolve
        if (open.size === 0) resolve()
      })
      for (const answer of open.keys()) endsConnection(answer)
      server.close()
      await Promise.race([answered, after(deadlineMs)])
      const cut = open.size
      // Also those that never sent a request, which Node does not count as idle.
      server.closeAllConnections()
      return cut
    },
  }
}

const endsConnection = (answer: ServerResponse) => {
  if (!answer.headersSent) answer.setHeader('connection', 'close')
}

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())
