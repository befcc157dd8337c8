import { startTcpProxy } from './tcp-proxy.ts'

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
  let connections = 0
  let cut: { readonly bytes: number; readonly done: () => void } | undefined

  const proxy = await startTcpProxy(targetPort, ({ near, far, end }) => {
    connections += 1
    near.on('data', (chunk) => far.write(chunk))
    far.on('data', (chunk) => {
      if (cut === undefined) return near.write(chunk)
      const { bytes, done } = cut
      cut = undefined
      near.once('close', done)
      return near.write(chunk.subarray(0, bytes), end)
    })
  })

  return {
    port: proxy.port,
    cutAfter: (bytes) =>
      new Promise((done) => {
        cut = { bytes, done }
      }),
    get connections() {
      return connections
    },
    stop: proxy.stop,
  }
}
