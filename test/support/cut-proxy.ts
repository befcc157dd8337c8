import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy in front of a server that loses answers on demand, after the server has carried the request out. */
export interface CutProxy {
  readonly port: number
  /**
   * Passes on this many bytes of what the server says next (all but so many when negative), then breaks the connection
   * that it said it on. Resolves when the connection is broken.
   */
  cutAfter(bytes: number): Promise<void>
  /** Connections that were made so far. */
  readonly connections: number
  stop(): Promise<void>
}

/** Starts a proxy on the loopback interface in front of `targetPort` there. */
export async function startCutProxy(targetPort: number): Promise<CutProxy> {
  const sockets = new Set<Socket>()
  let connections = 0
  let cut: { readonly bytes: number; readonly done: () => void } | undefined

  const server = createServer((near) => {
    connections += 1
    const far = connect({ port: targetPort, host: '127.0.0.1' })
    const end = () => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', end).on('close', end)
    }
    near.on('data', (chunk) => far.write(chunk))
    far.on('data', (chunk) => {
      if (cut === undefined) return near.write(chunk)
      const { bytes, done } = cut
      cut = undefined
      near.once('close', done)
      return near.write(chunk.subarray(0, bytes), end)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cutAfter: (bytes) =>
      new Promise((done) => {
        cut = { bytes, done }
      }),
    get connections() {
      return connections
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
