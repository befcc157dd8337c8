import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithRedis, testRedis, type TestRedis } from '../support/redis-server.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/executions.md'), 'utf8')

/** Runs node in a folder; resolves to its exit code and all it said. */
const runNode = (folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  new Promise<{ readonly code: number | string | null | undefined; readonly said: string }>((resolve) => {
    execFile(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'], ...env } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, said: out + err }),
    )
  })

/** A project beside this one that has this package as it is published, and the given packages. */
function project(packages: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'orderly-consumer-'))
  const own = join(folder, 'node_modules/orderly')
  mkdirSync(own, { recursive: true })
  cpSync(join(root, 'package.json'), join(own, 'package.json'))
  cpSync(join(root, 'dist'), join(own, 'dist'), { recursive: true })
  for (const name of packages) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

describe('the published types', () => {
  let folder: string
  beforeAll(() => {
    folder = project([])
    cpSync(join(root, 'test/fixtures/executions/consumer.ts.txt'), join(folder, 'consumer.ts'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const options = { strict: true, skipLibCheck: false, noEmit: true, target: 'es2022', lib: ['es2022'], types: [] }
  it.concurrent.each([
    ['5.0.4', 'node16', 'node16'],
    ['5.0.4', 'esnext', 'bundler'],
    ['7', 'nodenext', 'nodenext'],
  ])(
    'compile strictly with TypeScript %s (%s, %s) and no types of a client',
    async (version, module, moduleResolution) => {
      const config = `tsconfig.${version}.${moduleResolution}.json`
      const compilerOptions = { ...options, module, moduleResolution }
      writeFileSync(join(folder, config), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
      const compiler = join(
        root,
        version === '5.0.4' ? 'test/oldest-typescript' : '',
        'node_modules/typescript/bin/tsc',
      )

      expect((await runNode(folder, [compiler, '--version'])).said).toContain(`Version ${version}`)
      expect(await runNode(folder, [compiler, '-p', config])).toEqual({ code: 0, said: '' })
    },
    60_000,
  )

  it('name no source, only what is published', () => {
    const dist = join(folder, 'node_modules/orderly/dist')
    const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'))

    expect(names).toContain('executions/index.d.ts')
    for (const name of names) expect(readFileSync(join(dist, name), 'utf8')).not.toMatch(/from '\.[^']*(?<!\.js)'/)
  })
})

describeWithRedis(
  'the example of docs/executions.md',
  () => {
    let redis: TestRedis
    let folder: string
    beforeAll(async () => {
      redis = await testRedis()
      folder = project(['ioredis'])
      const [, example = ''] = /```js\n([^]*?)\n```/.exec(page) ?? []
      writeFileSync(join(folder, 'workflow.mjs'), example)
    })
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true })
      await redis.stop()
    })
    const workflow = (...args: readonly string[]) =>
      runNode(folder, ['workflow.mjs', ...args], { REDIS_URL: redis.url })

    it('runs to its end with the package as it is built', async () => {
      expect(await workflow()).toEqual({
        code: 0,
        said: 'charge-card done\nbook-courier done\ntell-customer done\n{ cents: 1250 }\n',
      })
    })

    it('goes on where it stopped, as the page says', async () => {
      const stopped = await workflow('no courier')
      const [, id = ''] = /^charge-card done\nNo courier is free\. Go on with: node workflow\.mjs again (\S+)\n$/.exec(
        stopped.said,
      ) ?? [stopped.said]

      expect(id).not.toBe('')
      expect(await workflow('again', id)).toEqual({
        code: 0,
        said: 'book-courier done\ntell-customer done\n{ cents: 1250 }\n',
      })
    })
  },
  { own: false },
)
