import { chmod, open, stat } from 'node:fs/promises'
import { addressOf } from '../address.ts'
import { mapped, sync } from './folder.ts'
import { BackupError } from './errors.ts'
import { runProgram, type ProgramEnv, type ProgramRun } from './programs.ts'

export interface ReplicatedDumpOptions {
  readonly env: ProgramEnv
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
  /** Milliseconds for which nothing may arrive. @default ten minutes */
  readonly silenceMs?: number
}

/** Why no dump could be fetched this way, though the server may hand over its keys one by one. */
export type Refusal = 'no-program' | 'no-replication'

const TEN_MINUTES_MS = 600_000
const LOOK_EVERY_MS = 500

/**
 * Fetches a dump as a replica would, with redis-cli. Its password is neither among its words nor in a file.
 *
 * @throws BackupError when the server refuses the user, breaks off or falls silent, or the file cannot be written.
 */
export async function fetchDump(url: string, to: string, options: ReplicatedDumpOptions): Promise<Refusal | undefined> {
  const { password } = addressOf(url)
  await mapped(() => createPrivate(to))
  const watch = watchFile(to, options)
  try {
    const start = (authority: readonly string[], secrets: Readonly<Record<string, string>>) =>
      runProgram(wordsFor(url, to, authority), { env: options.env, signal: watch.signal, secrets })
    const secrets = password === '' ? {} : { REDISCLI_AUTH: password }
    const authority = authorityIn(options.env)
    const plain = await start([], secrets)
    // Node trusts those of the file beside the system's; redis-cli trusts either.
    const isTrusted = plain === undefined || authority.length === 0 || !isAboutTrust(plain)
    const first = isTrusted ? plain : await start(authority, secrets)
    // A password from the environment may be meant for another server; this one asks for none.
    const isOpen = first?.stderr.includes('without any password configured') === true
    const run = isOpen ? await start(isTrusted ? [] : authority, {}) : first
    options.signal.throwIfAborted()
    if (run === undefined) return 'no-program'
    if (run.code === 0) {
      await mapped(() => sync(to))
      return undefined
    }
    if (isRefused(run)) return 'no-replication'
    throw failureOf(run, watch.signal.aborted)
  } finally {
    watch.stop()
  }
}

function wordsFor(url: string, to: string, authority: readonly string[]): [name: string, ...args: string[]] {
  const { host, port, username, tls } = { tls: undefined, ...addressOf(url) }
  const connecting = ['-h', host, '-p', String(port), ...(username === '' ? [] : ['--user', username])]
  const secure = tls === undefined ? [] : ['--tls', '--sni', host, ...authority]
  return ['redis-cli', ...connecting, ...secure, '--rdb', to]
}

/** The file of certificates that Node trusts by its own variable, for redis-cli, which does not know it. */
const authorityIn = ({ NODE_EXTRA_CA_CERTS: file = '' }: ProgramEnv) => (file === '' ? [] : ['--cacert', file])

/** Whether the connection failed for TLS, as it does where the certificate is not trusted. */
const isAboutTrust = ({ code, stderr }: ProgramRun) =>
  code !== 0 && /SSL_connect failed|certificate verify failed/.test(stderr)

/** redis-cli writes into a file that is there and keeps its rights. */
async function createPrivate(file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  await handle.close()
  await chmod(file, 0o600)
}

/** Ends the program when the person wants it or nothing arrives for too long. */
function watchFile(file: string, { signal, onProgress, silenceMs = TEN_MINUTES_MS }: ReplicatedDumpOptions) {
  const silence = new AbortController()
  let [bytes, waitedMs] = [0, 0]
  const timer = setInterval(() => {
    void stat(file).then(
      ({ size }) => {
        waitedMs = size > bytes ? 0 : waitedMs + LOOK_EVERY_MS
        bytes = size
        onProgress(`${(bytes / 1_000_000).toFixed(1)} MB received`)
        if (waitedMs >= silenceMs) silence.abort()
      },
      () => undefined,
    )
  }, LOOK_EVERY_MS)
  return { signal: AbortSignal.any([signal, silence.signal]), stop: () => clearInterval(timer) }
}

/** Whether a provider offers no replication, or this redis-cli no TLS. */
const isRefused = ({ stderr }: ProgramRun) =>
  /SYNC with master failed: -ERR\b|Unrecognized option|unknown option/i.test(stderr)

function failureOf(run: ProgramRun, isSilent: boolean): BackupError {
  const { stderr } = run
  if (isSilent)
    return new BackupError('BACKUP_FAILED', 'The server sent nothing more of its dump for too long. Try again.')
  if (/No space left|File too large|Disk quota/i.test(stderr)) {
    const message =
      'There is no room left for the backup. Nothing was left behind. Free some, or choose another folder.'
    return new BackupError('BACKUP_UNWRITABLE', message)
  }
  if (/NOPERM/.test(stderr)) {
    const message = 'The user may not fetch a dump (SYNC, PSYNC, REPLCONF). Give an administrator in --url.'
    return new BackupError('BACKUP_FAILED', message)
  }
  if (isAboutTrust(run)) {
    const message =
      "redis-cli could not make the TLS connection, though Orderly could. Where a CA of your own signed the server's certificate, name its file in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS."
    return new BackupError('BACKUP_FAILED', message)
  }
  return new BackupError(
    'BACKUP_FAILED',
    'The server broke off while it handed over its dump. Its log says why. Try again.',
  )
}
