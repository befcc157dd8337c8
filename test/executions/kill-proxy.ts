import { startTcpProxy } from '../support/tcp-proxy.ts'

/** When the worker is killed: before the server gets the command, or after it has carried the command out. */
export type Moment = 'before' | 'after'

/** A TCP proxy between workers, which await each command, and a Redis server. */
export interface KillProxy {
  readonly port: number
  /** Calls `kill` at the command of that number, from 1; neither the command's rest nor any answer passes after that. */
  arm(at: number, moment: Moment, kill: () => void): void
  /** Lets everything pass again. */
  disarm(): void
  /** Names of the commands since the last `arm`, those that clients send to greet a server left out. */
  readonly commands: readonly string[]
  stop(): Promise<void>
}

const GREETINGS = new Set(['AUTH', 'CLIENT', 'HELLO', 'INFO', 'PING', 'QUIT', 'SELECT'])

/** Starts a proxy on the loopback interface in front of `targetPort` there. */
export async function startKillProxy(targetPort: number): Promise<KillProxy> {
  let commands: string[] = []
  let fault: { readonly at: number; readonly moment: Moment; readonly kill: () => void } | undefined

  const proxy = await startTcpProxy(targetPort, ({ near, far, end }) => {
    let isDead = false
    let isWithheld = false
    const die = () => {
      isDead = true
      const kill = fault?.kill
      fault = undefined
      kill?.()
      setImmediate(end)
    }
    near.on('data', (chunk) => {
      if (isDead) return
      for (const [, name = ''] of chunk.toString('latin1').matchAll(/(?:^|\r\n)\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        if (!GREETINGS.has(name.toUpperCase())) commands.push(name.toUpperCase())
      }
      const isMeant = fault !== undefined && commands.length >= fault.at
      if (isMeant && fault?.moment === 'before') return die()
      isWithheld = isMeant
      far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (isWithheld && !isDead) return die()
      if (!isDead) near.write(chunk)
    })
  })

  return {
    port: proxy.port,
    arm: (at, moment, kill) => {
      commands = []
      fault = { at, moment, kill }
    },
    disarm: () => {
      fault = undefined
    },
    get commands() {
      return commands
    },
    stop: proxy.stop,
  }
}
