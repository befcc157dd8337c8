import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { variableNames } from '../src/config.ts'
import { callOrderly } from './support/cli.ts'
import { documentText } from './support/markdown.ts'

const root = join(import.meta.dirname, '..')
const { scripts, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
}

/** The plain `key: value` lines of a YAML text without anchors and block texts, quotes left out. */
const valuesOf = (yaml: string, key: string): readonly string[] =>
  [...yaml.matchAll(new RegExp(`^[ -]*${key}: *['"]?([^'"\\n]*)['"]?$`, 'gm'))].map(([, value = '']) => value)

/** Variables of the platform's own, which Orderly does not read. */
const ofThePlatform = new Set(['NODE_VERSION', 'NODE_ENV'])

describe('render.yaml', () => {
  const yaml = documentText('render.yaml')
  const one = (key: string) => {
    const [value, ...others] = valuesOf(yaml, key)
    expect([key, others]).toEqual([key, []])
    return value
  }

  it('is one free web service in Frankfurt on a version of Node that Orderly runs on', () => {
    expect(['type', 'runtime', 'plan', 'region', 'autoDeployTrigger'].map(one)).toEqual(
      ['web', 'node', 'free', 'frankfurt'].concat('checksPass'),
    )
    expect(Number(/key: NODE_VERSION\n\s+value: '(\d+)'/.exec(yaml)?.[1])).toBeGreaterThanOrEqual(
      Number.parseInt(engines.node.replace(/\D*/, ''), 10),
    )
  })

  it('asks for a route that exists', () => {
    expect(documentText('src/http/health.ts')).toContain(`'${one('healthCheckPath')}'`)
  })

  it('leaves the service more time to end than it takes', () => {
    const [, stopMs = ''] = /const STOP_MS = ([\d_]+)/.exec(documentText('src/service.ts')) ?? []

    expect(Number(one('maxShutdownDelaySeconds')) * 1_000).toBeGreaterThan(Number(stopMs.replaceAll('_', '')) + 1_000)
  })

  it('builds with scripts that exist, and starts what the build made, without npm in between', () => {
    const commands = (one('buildCommand') ?? '').split(' && ')

    expect(commands).toContain('npm ci --include=dev')
    for (const [, script = ''] of commands.map((text) => /^npm run (\S+)/.exec(text) ?? []).filter(([text]) => text)) {
      expect(scripts).toHaveProperty(script)
    }
    expect(one('startCommand')).toBe(scripts['start'])
  })

  it('names variables that Orderly reads, once each, and no secret', () => {
    const keys = valuesOf(yaml, 'key')

    expect(keys.filter((key) => !variableNames.includes(key) && !ofThePlatform.has(key))).toEqual([])
    expect(new Set(keys).size).toBe(keys.length)
    for (const key of keys.filter((name) => !ofThePlatform.has(name))) {
      expect(yaml).toMatch(new RegExp(`key: ${key}\\n\\s+(sync: false|generateValue: true)`))
    }
  })

  it('has the intake token made up, whose form Orderly takes, but not the webhook secret, whose form Telegram refuses', () => {
    expect(yaml).toMatch(/key: INTAKE_TOKEN\n\s+generateValue: true/)
    expect(yaml).not.toContain('WEBHOOK_SECRET')
  })
})

describe('the Dockerfile', () => {
  const text = documentText('Dockerfile')
  const ignored = documentText('.dockerignore').split('\n').filter(Boolean)

  it('copies into its build what exists and is not ignored', () => {
    const [build = ''] = text.split('AS orderly')
    const sources = [...build.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, words = '']) => words.split(' '))

    expect(sources).toContain('package-lock.json')
    for (const source of sources) expect([source, existsSync(join(root, source))]).toEqual([source, true])
    expect(sources.filter((source) => ignored.includes(source))).toEqual([])
  })

  it('copies the configuration of the build with everything that it extends', () => {
    const { extends: base } = JSON.parse(documentText('tsconfig.build.json')) as { readonly extends: string }

    expect(text).toContain(base.replace('./', ''))
  })

  it('never takes secrets or the build of this machine along', () => {
    expect(ignored).toEqual(expect.arrayContaining(['.env', '.git', 'node_modules', 'dist']))
  })

  it('sets nothing in an image but how it runs', () => {
    expect([...text.matchAll(/^(?:ENV|ARG) (.*)$/gm)].map(([, words]) => words)).toEqual([
      'NODE_ENV=production',
      'NODE_ENV=production PORT=3000',
    ])
  })

  it('ends in a target orderly that runs the build as a user without rights, without npm in between', () => {
    const target = text.slice(text.lastIndexOf('FROM '))

    expect(target).toMatch(/^FROM node:\d+-slim AS orderly$/m)
    expect(target).toMatch(/^USER node$/m)
    expect(target).toContain(`CMD ${JSON.stringify((scripts['start'] ?? '').split(' ')).replaceAll(',', ', ')}`)
    expect(target).toContain('/healthz')
    expect(target).not.toMatch(/^COPY (?!--from=(build|install))/m)
  })

  it('takes along what the sweep over queues needs', () => {
    expect(missingIn(text.slice(text.lastIndexOf('FROM ')), 'bullmq')).toEqual([])
  })
})

describe('the target inngest-cleaner of the Dockerfile', () => {
  const [, target = ''] =
    /^FROM node:\d+-slim AS inngest-cleaner\n(.*?)(?=^FROM )/ms.exec(documentText('Dockerfile')) ?? []
  const wordsOf = (instruction: string): readonly string[] =>
    JSON.parse(new RegExp(`^${instruction} (.*)$`, 'm').exec(target)?.[1] ?? '[]')

  it('runs commands of the CLI as a user without rights, and by default the schedule', () => {
    expect(wordsOf('ENTRYPOINT')).toEqual(['node', 'dist/cli.js', 'inngest'])
    expect(wordsOf('CMD')).toEqual(['cron'])
    expect(target).toMatch(/^USER node$/m)
    expect(target).not.toMatch(/^(EXPOSE|HEALTHCHECK|COPY (?!--from=))/m)
  })

  it.each(['cron', 'once', 'test', 'redis-check', 'diagnose', 'verify'])('knows the word %s', async (word) => {
    const [, , ...command] = [...wordsOf('ENTRYPOINT'), word, '--help']

    const { code, stdout } = await callOrderly(command)

    expect({ code, usage: stdout.startsWith(`Usage: orderly inngest ${word}`) }).toEqual({ code: 0, usage: true })
  })

  it('takes the driver of sqlite: addresses with all that it needs from an install by the lock file', () => {
    expect(missingIn(target, 'libsql')).toEqual([])
    expect(target).toContain('COPY --from=install /app/node_modules/@libsql node_modules/@libsql\n')
  })
})

/** What a package needs, itself included, that a target has neither from the build nor copied by itself. */
function missingIn(target: string, name: string): readonly string[] {
  const { packages } = JSON.parse(documentText('package-lock.json')) as { readonly packages: Packages }
  const copied = [...target.matchAll(/^COPY --from=install \/app\/(\S+) (\S+)$/gm)]
    .filter(([, from, to]) => from === to)
    .map(([, from]) => from)
  const isThere = (place: string) =>
    packages[place]?.dev !== true || copied.some((from) => `${place}/`.startsWith(`${from}/`))
  // A binary of another machine is left out by npm, and so is not there to be copied.
  return placesOf(name, packages).filter((place) => packages[place]?.optional !== true && !isThere(place))
}

interface LockedPackage {
  readonly dev?: boolean
  readonly optional?: boolean
  readonly dependencies?: object
  readonly optionalDependencies?: object
}

type Packages = Readonly<Record<string, LockedPackage | undefined>>

/** Where a package and all that it needs lie: the nearest folder of packages counts, as Node looks for them. */
function placesOf(name: string, packages: Packages, from = ''): readonly string[] {
  const folders = from.split('/node_modules/').map((_, at, all) => all.slice(0, at + 1).join('/node_modules/'))
  const places = ['', ...folders].toReversed().map((folder) => `${folder}/node_modules/${name}`.replace(/^\//, ''))
  const place = places.find((path) => packages[path] !== undefined)
  if (place === undefined) throw new Error(`The lock file does not know ${name}.`)
  const { dependencies, optionalDependencies } = packages[place] ?? {}
  const needed = Object.keys({ ...dependencies, ...optionalDependencies })
  return [place, ...needed.flatMap((one) => placesOf(one, packages, place))]
}

describe('compose.yaml', () => {
  const yaml = documentText('compose.yaml')

  const services = yaml.split(/^ {2}(?=[a-z-]+:$)/m)
  const serviceOf = (target: string) => services.find((text) => text.includes(`target: ${target}\n`)) ?? ''

  it('builds the targets of the Dockerfile', () => {
    const stages = [...documentText('Dockerfile').matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage]) => stage)

    expect(valuesOf(yaml, 'target')).toEqual(['orderly', 'inngest-cleaner'])
    expect(stages).toEqual(expect.arrayContaining([...valuesOf(yaml, 'target')]))
  })

  it('hands on every variable that Orderly reads, but those of the host and those that would name another Redis', () => {
    const [, settings = ''] = /^x-settings: &settings\n((?: {2}.*\n)+)/m.exec(yaml) ?? []
    const names = [...settings.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name]) => name)
    const ofTheHost = /^(HOST|PORT|NODE_ENV|RENDER.*|IS_PULL_REQUEST|REDIS_URL|UPSTASH_REDIS_.*)$/
    const handedOn = variableNames.filter((name) => !ofTheHost.test(name))

    expect(names).toEqual(expect.arrayContaining(handedOn))
    expect(names).toHaveLength(handedOn.length)
    for (const target of ['orderly', 'inngest-cleaner']) expect(serviceOf(target)).toContain('*settings')
  })

  it('starts Orderly and the cleaner of Inngest only for those who ask for them', () => {
    expect(serviceOf('inngest-cleaner')).toContain("profiles: ['inngest']")
    expect(serviceOf('orderly')).toContain("profiles: ['orderly']")
    expect(yaml.match(/profiles/g)).toHaveLength(2)
  })

  it('gives each the time that it takes to end, and keeps both ports to this machine', () => {
    expect(valuesOf(yaml, 'stop_grace_period')).toEqual(['60s', '30s', '30s'])
    expect(yaml.match(/^ +- '.*:\d+'$/gm)?.map((line) => line.trim())).toEqual([
      "- '127.0.0.1:${REDIS_PORT:-6379}:6379'",
      "- '127.0.0.1:3000:3000'",
    ])
  })
})
