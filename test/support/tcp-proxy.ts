import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A pair of sockets: `near` to who connected, `far` to the server. */
export interface Joint {
  readonly near: Socket
  readonly far: Socket
  /** Breaks both. */
  readonly end: () => void
}

export interface TcpProxy {
  readonly port: number
  /** Breaks every connection. */
  cut(): void
  stop(): Promise<void>
}

/** Starts a proxy on the loopback interface in front of `targetPort` there; `join` says what is passed on. */
export async function startTcpProxy(targetPort: number, join: (joint: Joint) => void): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect({ port: targetPort, host: '127.0.0.1' })
    const end = () => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', end).on('close', end)
    }
    join({ near, far, end })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const cut = () => sockets.forEach((socket) => socket.destroy())
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut,
    stop: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
