import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that passes on so many bytes of what clients say, and then nothing more. */
export interface StallingProxy {
  readonly port: number
  /** From now on. Resolves when so many were passed on. */
  stallAfter(bytes: number): Promise<void>
  /** As `stallAfter`, but the rest is kept: a client that was suspended. */
  holdAfter(bytes: number): Promise<void>
  /** Passes everything on again, first what was kept. */
  goOn(): void
  /** Breaks every connection. */
  cut(): void
  stop(): Promise<void>
}

/** Starts one on the loopback interface in front of `targetPort` there. */
export async function startStallingProxy(targetPort: number): Promise<StallingProxy> {
  const sockets = new Set<Socket>()
  let left = Infinity
  let reached: (() => void) | undefined
  let held: (() => void)[] | undefined
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
    near.on('data', (chunk) => {
      const passed = Math.min(left, chunk.length)
      if (passed > 0) far.write(chunk.subarray(0, passed))
      if (passed < chunk.length) held?.push(() => void far.write(chunk.subarray(passed)))
      left -= passed
      if (left === 0) reached?.()
    })
    far.on('data', (chunk) => near.write(chunk))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stallAfter: (bytes) =>
      new Promise((resolve) => {
        left = bytes
        reached = resolve
      }),
    holdAfter: (bytes) =>
      new Promise((resolve) => {
        left = bytes
        held = []
        reached = resolve
      }),
    goOn: () => {
      left = Infinity
      for (const pass of held ?? []) pass()
      held = undefined
    },
    cut: () => sockets.forEach((socket) => socket.destroy()),
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
