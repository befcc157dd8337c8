import { startTcpProxy } from '../../support/tcp-proxy.ts'

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
  let left = Infinity
  let reached: (() => void) | undefined
  let held: (() => void)[] | undefined
  const proxy = await startTcpProxy(targetPort, ({ near, far }) => {
    near.on('data', (chunk) => {
      const passed = Math.min(left, chunk.length)
      if (passed > 0) far.write(chunk.subarray(0, passed))
      if (passed < chunk.length) held?.push(() => void far.write(chunk.subarray(passed)))
      left -= passed
      if (left === 0) reached?.()
    })
    far.on('data', (chunk) => near.write(chunk))
  })
  return {
    port: proxy.port,
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
    cut: proxy.cut,
    stop: proxy.stop,
  }
}
