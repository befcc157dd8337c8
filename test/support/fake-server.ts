import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** A TCP server that says what a test wants. */
export interface FakeServer {
  readonly port: number
  stop(): Promise<void>
}

/** Answers each piece that arrives with what `answer` makes of it; undefined is silence. `greeting` is said first. */
export async function startFakeServer(
  answer: (piece: string) => string | undefined,
  greeting?: string | Buffer,
): Promise<FakeServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    if (greeting !== undefined) socket.write(greeting)
    socket.on('error', () => socket.destroy())
    socket.on('data', (piece) => {
      const said = answer(piece.toString())
      if (said !== undefined) socket.write(said)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
