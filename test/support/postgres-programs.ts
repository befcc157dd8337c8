import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isExecutable } from './executable.ts'

const folders = [
  ...(process.env['PATH'] ?? '').split(':'),
  // Debian does not put them on the PATH.
  ...versionsIn('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`),
]

/** The folder of `initdb` and `postgres`; undefined where they are not installed. */
export const postgresPrograms: string | undefined = folders.find((folder) =>
  ['initdb', 'postgres'].every((name) => isExecutable(join(folder, name))),
)

/** Who runs the server: ourselves, or, because PostgreSQL refuses to be root, another account, if there is one. */
export const postgresAccount =
  process.getuid?.() === 0 ? (accountOf('postgres') ?? accountOf('nobody')) : ('ourselves' as const)

/** The latest first. */
function versionsIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted((one, other) => Number(other) - Number(one))
  } catch {
    return []
  }
}

function accountOf(name: string): { readonly uid: number; readonly gid: number } | undefined {
  const idOf = (what: '-u' | '-g') => Number(execFileSync('id', [what, name], { stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { uid: idOf('-u'), gid: idOf('-g') }
  } catch {
    return undefined
  }
}
