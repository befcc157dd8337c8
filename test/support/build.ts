import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

const sources = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(m?js|ts|html|css|svg|ttf)$/.test(name),
  )

/** Whether every file of the build is newer than every source. */
export function isBuildFresh(): boolean {
  if (!existsSync(join(root, 'dist/main.js'))) return false
  const times = (folder: string) => sources(folder).map((name) => statSync(join(root, folder, name)).mtimeMs)
  return Math.min(...times('dist')) > Math.max(...times('src'))
}

/**
 * Builds where the build is older than the sources, so that tests of whole processes run what is there now. Errors of types
 * are only told: `tsc --noEmit` judges them.
 */
export function build(): void {
  if (isBuildFresh()) return
  spawnSync(process.execPath, [join(root, 'scripts/prepare.mjs')], { cwd: root, stdio: 'inherit' })
  for (const name of sources('dist')) {
    const source = join(root, 'src', name)
    if (!existsSync(source) && !existsSync(source.replace(/(\.d)?\.[jt]s$/, '.ts'))) rmSync(join(root, 'dist', name))
  }
}
