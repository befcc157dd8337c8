import { execFileSync, type ExecFileSyncOptionsWithStringEncoding, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'

const root = join(import.meta.dirname, '../..')

const { status, stdout: version } = spawnSync('docker-compose', ['--version'], { encoding: 'utf8' })

/** Whether there is a program that reads compose.yaml. It starts nothing: that would need a Docker. */
export const hasDockerCompose = status === 0

/** A suite that has compose.yaml read; skipped where nothing can read it. */
export const describeWithCompose = hasDockerCompose ? describe : describe.skip

export interface ComposeOptions {
  /** All that there is of an environment beside PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** The text of the file `.env`; absent: there is none. */
  readonly dotEnv?: string
  readonly profiles?: readonly string[]
}

/** What the tests look at of a service, in the form of either major version of the program. */
export interface Service {
  readonly profiles?: readonly string[]
  readonly command?: readonly string[]
  readonly environment: Readonly<Record<string, string | number | null>>
  readonly ports?: readonly (
    string | { readonly host_ip: string; readonly published: string; readonly target: number }
  )[]
  readonly volumes?: readonly (string | { readonly source: string; readonly target: string })[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly logging: { readonly options: Readonly<Record<string, string>> }
  readonly restart: string
  readonly stop_grace_period: string
}

/** The services by name, as `docker-compose config` has them. Throws what it says. */
export function composed({ env = {}, dotEnv, profiles = [] }: ComposeOptions): Readonly<Record<string, Service>> {
  // Beside the repository's own file there may be the .env of whoever works on it.
  const folder = mkdtempSync(join(tmpdir(), 'orderly-compose-'))
  try {
    cpSync(join(root, 'compose.yaml'), join(folder, 'compose.yaml'))
    if (dotEnv !== undefined) writeFileSync(join(folder, '.env'), dotEnv)
    const words = [...profiles.flatMap((profile) => ['--profile', profile]), 'config']
    const options = {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'pipe',
    } as const
    // It writes a dollar as two, for its own reading.
    return JSON.parse(readConfig(words, options).replaceAll('$$', '$')).services
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The first version, which is written in Python, tells it in YAML only. */
function readConfig(words: readonly string[], options: ExecFileSyncOptionsWithStringEncoding): string {
  if (!version.includes('version 1.')) return execFileSync('docker-compose', [...words, '--format', 'json'], options)
  const input = execFileSync('docker-compose', words, options)
  const toJson = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'
  return execFileSync('python3', ['-c', toJson], { encoding: 'utf8', input })
}
