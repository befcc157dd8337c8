// Builds after `npm ci`, so that `npx orderly` works at once. An install without
// development dependencies has no compiler and runs the build that it was given.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

const findCompiler = () => {
  try {
    return join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
  } catch {
    return undefined
  }
}

const compiler = findCompiler()
if (compiler === undefined) {
  console.error('orderly: no TypeScript installed, nothing built (npm ci without --omit=dev builds).')
} else {
  const compile = (project) => spawnSync(process.execPath, [compiler, '-p', project], { stdio: 'inherit' }).status ?? 1
  const status = compile('tsconfig.build.json')
  // `npx orderly` runs the file as it is; the compiler writes it without the permission.
  if (status === 0) chmodSync('dist/cli.js', 0o755)
  // The chat page is served as it is written.
  rmSync('dist/sandbox/page', { recursive: true, force: true })
  cpSync('src/sandbox/page', 'dist/sandbox/page', { recursive: true, filter: (name) => !name.endsWith('.json') })
  // The thread that makes pictures, and its fonts with their licence.
  cpSync('src/charts', 'dist/charts', { recursive: true, filter: (name) => !name.endsWith('.ts') })
  process.exitCode = status || compile('src/executions/tsconfig.types.json')
  // Declarations of what others import: the compiler leaves the endings of the sources in them.
  for (const name of readdirSync('dist', { recursive: true }).filter((one) => one.endsWith('.d.ts'))) {
    const file = join('dist', name)
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"))
  }
}
