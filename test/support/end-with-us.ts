import { type ChildProcess, spawn } from 'node:child_process'

/** Waits for the end of its standard input, which is ours; then for that of the process $0, at most 5 s; removes $1. */
const WATCH = `
  read -r _
  kill -QUIT "$0"
  for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$0" || break; sleep 0.5; done
  rm -rf "$1"`

/** Sees to it that a process ends and its directory goes when we end, in whatever way: a killed worker has no last word. */
export function endWithUs(child: ChildProcess, directory: string): void {
  if (child.pid === undefined) return
  const watch = spawn('sh', ['-c', WATCH, String(child.pid), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  // Another process may soon have the number of one that has ended.
  child.once('exit', () => watch.kill('SIGKILL'))
}
