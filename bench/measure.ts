import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'

/** The highest resident memory of this process from a moment on. */
export interface PeakMemory {
  /** Ends the watch and resolves with bytes. */
  stop(): number
}

/** Milliseconds between two looks. */
const LOOK_EVERY_MS = 5

/**
 * Watches this process's resident memory. Looks are taken between tasks; a peak within one is known from the operating
 * system's own maximum, as far as that grew meanwhile.
 */
export function watchMemory(): PeakMemory {
  let peak = process.memoryUsage.rss()
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const before = maximum()
  const timer = setInterval(look, LOOK_EVERY_MS)
  return {
    stop: () => {
      clearInterval(timer)
      look()
      return maximum() > before ? Math.max(peak, maximum()) : peak
    },
  }
}

/** The operating system's own highest value since the process began, in bytes. */
const maximum = () => process.resourceUsage().maxRSS * 1_024

/** Bytes that this process sent and received through sockets of its own making. */
export interface Traffic {
  sent(): number
  received(): number
}

/** Counts the traffic of all connections made from now on. */
export function watchTraffic(): Traffic {
  const sockets: Socket[] = []
  subscribe('net.client.socket', (message) => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return
    if (message.socket instanceof Socket) sockets.push(message.socket)
  })
  return {
    sent: () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
    received: () => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
  }
}
