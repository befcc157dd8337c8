import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port of the loopback interface that nobody listens at now; another process may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Starts something at a free port; tries another one where a process took the port since it was found free. */
export async function startSomewhere<Started>(
  startAt: (port: number) => Promise<Started>,
): Promise<{ readonly port: number; readonly child: Started }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      return { port, child: await startAt(port) }
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}
