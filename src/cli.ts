#!/usr/bin/env -S node --max-old-space-size=256
// Nothing here needs much memory, but with gigabytes in sight V8 would not collect what it no longer needs.
import { commandNamed } from './cli/command-name.ts'
import { runCli } from './cli/run.ts'
import { readEnvFile } from './env-file.ts'
import { ownVersion } from './own-version.ts'

/** Milliseconds for which something that hangs may keep a service alive after everything was stopped. */
const LINGER_MS = 500

/** It tells what it does in its log. */
const isService = commandNamed(process.argv.slice(2)) === 'inngest cron'

const interruption = new AbortController()
const interrupt = () => {
  if (!isService) process.stderr.write('\nStopping after the current request. Ctrl-C again stops at once.\n')
  interruption.abort()
}
process.once('SIGINT', interrupt)
process.once('SIGTERM', interrupt)

// Whoever reads our output may stop reading (`orderly … | head`), which is no failure; a full disk is one.
const outClosed = new AbortController()
let isOutputLost = false
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  outClosed.abort()
  if (error.code === 'EPIPE') return
  isOutputLost = true
  process.exitCode = 1
})
process.stderr.on('error', () => undefined)

const exitCode = await runCli(process.argv.slice(2), ownVersion(), {
  get env() {
    return { ...readEnvFile(), ...process.env }
  },
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  isOutTerminal: process.stdout.isTTY,
  outSize: () => ({ rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 }),
  outClosed: outClosed.signal,
  signal: interruption.signal,
})
process.exitCode = isOutputLost ? 1 : exitCode
if (isService) setTimeout(() => process.exit(), LINGER_MS).unref()
