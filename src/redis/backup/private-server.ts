import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { BackupError } from './errors.ts'
import { environmentOf, type ProgramEnv } from './programs.ts'

/** A redis-server that nobody else can reach, with a dump in it. */
export interface PrivateServer {
  /** The path of its socket, in a folder that only we may enter. */
  readonly path: string
  /** Ends it at once and removes its folder. */
  stop(): Promise<void>
}

export interface PrivateServerOptions {
  readonly env: ProgramEnv
  readonly signal: AbortSignal
}

/** Room for the number of any database that a dump may name. */
const MOST_DATABASES = 10_000

/**
 * Loads a dump file into a server of its own, which listens at a socket in a private folder and never writes. It ends when
 * this process does, in whatever way.
 *
 * @throws BackupError `PROGRAM_MISSING`, `BACKUP_UNWRITABLE` for temporary files, `BACKUP_BROKEN` when it cannot load it.
 */
export async function startPrivateServer(file: string, { env, signal }: PrivateServerOptions): Promise<PrivateServer> {
  const folder = await createFolder()
  const path = join(folder, 'redis.sock')
  await symlink(resolve(file), join(folder, 'dump.rdb'))
  const child = spawn('redis-server', wordsFor(folder, path), {
    env: environmentOf(env),
    stdio: ['ignore', 'pipe', 'ignore'],
    // Ctrl-C reaches us alone; we end it.
    detached: true,
  })
  const stop = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const loaded = untilLoaded(child, signal)
    endWithUs(child, folder)
    await loaded
    return { path, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The bytes that the path of a socket may have; a longer one would be cut to another path. */
const MOST_PATH_BYTES = 103

async function createFolder(): Promise<string> {
  const beginning = join(tmpdir(), 'orderly-restore-')
  if (Buffer.byteLength(join(`${beginning}xxxxxx`, 'redis.sock')) > MOST_PATH_BYTES) {
    throw new BackupError('BACKUP_UNWRITABLE', NO_TMPDIR)
  }
  return await mkdtemp(beginning).catch((error: unknown) => {
    throw new BackupError('BACKUP_UNWRITABLE', NO_TMPDIR, { cause: error })
  })
}

const NO_TMPDIR =
  'The folder for temporary files cannot be used. Set TMPDIR to one that is writable and has a short path.'

function wordsFor(folder: string, path: string): string[] {
  const network = ['--port', '0', '--unixsocket', path, '--unixsocketperm', '700']
  const storage = ['--dir', folder, '--dbfilename', 'dump.rdb', '--save', '', '--appendonly', 'no']
  return [
    ...network,
    ...storage,
    '--databases',
    String(MOST_DATABASES),
    '--daemonize',
    'no',
    '--logfile',
    '',
    '--loglevel',
    'notice',
  ]
}

/** Waits for the end of its standard input, which is ours, then ends the process $0 and removes the folder $1. */
const WATCH = 'read -r _; kill -KILL "$0"; rm -rf "$1"'

/** A process that is killed has no last word, so another one waits for our end. */
function endWithUs(child: ChildProcess, folder: string): void {
  if (child.pid === undefined) return
  const watch = spawn('sh', ['-c', WATCH, String(child.pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watch.on('error', () => undefined)
  // Another process may soon have the number of one that has ended.
  child.once('exit', () => watch.kill('SIGKILL'))
}

async function untilLoaded(child: ChildProcess, signal: AbortSignal): Promise<void> {
  let said = ''
  await new Promise<void>((done, fail) => {
    const onAbort = () => fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    child.once('error', (error: NodeJS.ErrnoException) => fail(error.code === 'ENOENT' ? missing() : error))
    child.once('close', () => fail(unreadable(said)))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      // Read to the end, or the server would stop at a full pipe.
      said = (said + text).slice(-20_000)
      if (!/ready to accept connections/i.test(said)) return
      signal.removeEventListener('abort', onAbort)
      done()
    })
  })
}

const missing = () =>
  new BackupError(
    'PROGRAM_MISSING',
    'redis-server is not installed here, and without it the dump cannot be read. Install it (Debian: apt install redis-server), or restore with the file itself as docs/redis.md says.',
  )

function unreadable(said: string): BackupError {
  const message = /RDB format version|Unknown RDB|unknown.{0,40} type|module/i.test(said)
    ? 'The redis-server here cannot read the dump: a newer version, or one with modules, wrote it. Install that version here.'
    : 'The redis-server here cannot load the dump. Use another backup.'
  return new BackupError('BACKUP_BROKEN', message)
}
