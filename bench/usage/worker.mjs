// A process of its own: the built service as people run it, its bot included, with a clock that stands until the bench
// moves it. Plain JavaScript, for what runs TypeScript takes up memory that no service has.
import { closeSync, openSync, readSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readConfig } from '../../dist/config.js'
import { createLog } from '../../dist/log.js'
import { createService } from '../../dist/service.js'

const LOOK_EVERY_MS = 5

/** Nanoseconds that the main thread has computed, first of three numbers. Linux only. */
const SCHEDULER_FILE = '/proc/self/schedstat'

function openScheduler() {
  try {
    return openSync(SCHEDULER_FILE, 'r')
  } catch {
    return null
  }
}

/** Watches resident memory, and how long the main thread keeps others waiting, until it is called. */
function watch() {
  const delay = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS })
  const file = openScheduler()
  const bytes = Buffer.alloc(80)
  const workedNs = () => Number(bytes.toString('latin1', 0, readSync(file, bytes, 0, 80, 0)).split(' ')[0])
  const startBytes = process.memoryUsage.rss()
  let [before, longestNs, peakBytes] = [file === null ? 0 : workedNs(), 0, startBytes]
  const look = () => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
    if (file === null) return
    const now = workedNs()
    longestNs = Math.max(longestNs, now - before)
    before = now
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  delay.enable()
  return () => {
    clearInterval(timer)
    delay.disable()
    look()
    if (file !== null) closeSync(file)
    return {
      startBytes,
      peakBytes,
      endBytes: process.memoryUsage.rss(),
      longestWorkMs: file === null ? null : longestNs / 1e6,
      longestDelayMs: Math.max(0, delay.max / 1e6 - LOOK_EVERY_MS),
    }
  }
}

process.once('disconnect', () => process.exit(1))
const { env, now } = JSON.parse(process.argv[2])
let nowMs = Date.parse(now)
const log = createLog({ level: 'error', destination: { write: (line) => process.stderr.write(line) } })
const service = await createService({ config: readConfig(env), log, version: '0.0.0-bench', clock: () => nowMs })
await service.start()

let stopWatching = () => null
process.on('message', ({ kind, ms }) => {
  if (kind === 'advance') nowMs += ms
  if (kind === 'watch') stopWatching = watch()
  process.send({ figures: kind === 'report' ? stopWatching() : null })
})
process.send({ figures: null })
