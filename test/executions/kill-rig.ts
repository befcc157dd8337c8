import { afterAll, beforeAll, expect } from 'vitest'
import { executionKeys } from '../../src/executions/keys.ts'
import { startRedisServer, type RedisServer } from '../support/redis-server.ts'
import { openResp, textReply, type RespConnection } from '../support/resp.ts'
import { startKillProxy, type KillProxy, type Moment } from './kill-proxy.ts'
import type { Telling, Work } from './kill-steps.ts'
import type { WorkerTask } from './kill-worker.ts'

const PREFIX = 'kill:'
export const TTL_MS = 600_000

/** What one worker did for an execution before it died or was done. */
export interface Life {
  readonly hasDied: boolean
  readonly hasBegun: boolean
  /** The tasks whose work it did, with what came of it. */
  readonly computed: ReadonlyMap<string, unknown>
  /** The results at the end, where it came so far. */
  readonly results: Readonly<Record<string, unknown>> | undefined
}

/** One life to be lived. */
export interface Run {
  readonly url: string
  readonly prefix: string
  readonly work: Work
  /** Says how to end it; called at most once, in the middle of a command. */
  onDeath(kill: () => void): void
  /** Notes what is told. */
  life(): { readonly telling: Telling; end(how: 'died' | 'done'): Life }
}

export interface KillOptions {
  readonly tasks: readonly string[]
  /** Whether a step is carried out whole or not at all; else a step that is cut in two may leave keys to their expiry. */
  readonly isAtomic: boolean
  /** @default both */
  readonly moments?: readonly Moment[]
}

export interface KillRig {
  /** Where workers connect to, and as what. */
  target(): WorkerTask
  /**
   * Has executions worked on by a worker that dies at the first command, by one that dies at the second, and so on until one
   * does not die; each is worked on by a second one to its end. Checks after each death and each end what must hold. Resolves
   * with the number of deaths.
   */
  dieEverywhere(options: KillOptions, live: (run: Run) => Promise<Life>): Promise<number>
}

/** A Redis of its own and a proxy in front of it. To be called inside a suite. */
export function killRig(): KillRig {
  let server: RedisServer
  let proxy: KillProxy
  let direct: RespConnection
  let executions = 0
  beforeAll(async () => {
    server = await startRedisServer()
    proxy = await startKillProxy(server.port)
    direct = await openResp(server.url)
  })
  afterAll(async () => {
    direct.close()
    await proxy.stop()
    await server.stop()
  })

  const ask = async (...command: readonly string[]) => textReply((await direct.call([command]))[0] ?? null)
  const committed = async (id: string) => {
    const words = (await ask('HGETALL', executionKeys(PREFIX, id).results)) as readonly string[]
    return new Map(words.flatMap((word, at) => (at % 2 === 0 ? [[word, JSON.parse(words[at + 1] ?? '')]] : [])))
  }
  const keys = async () => (await ask('KEYS', `${PREFIX}*`)) as readonly string[]
  const expectExpiries = async () => {
    for (const key of await keys())
      expect({ key, ttl: await ask('TTL', key) }).toEqual({ key, ttl: expect.closeTo(600, -2) })
  }

  const runOf = (work: Work, arm: (kill: () => void) => void): Run => ({
    url: `redis://127.0.0.1:${proxy.port}`,
    prefix: PREFIX,
    work,
    onDeath: arm,
    life: noteLife,
  })

  /** One execution whose first worker dies at a command; whether it did. */
  const dieOnce = async (
    at: number,
    moment: Moment,
    { tasks, isAtomic }: KillOptions,
    live: (run: Run) => Promise<Life>,
  ) => {
    const id = `${moment}${at}-${++executions}`
    const first = await live(runOf({ id, tasks, isStart: true }, (kill) => proxy.arm(at, moment, kill)))
    proxy.disarm()
    const kept = await committed(id)
    if (isAtomic) await expectExpiries()
    // A second one that comes after the disposal finds nothing to do, so the first has seen the results.
    const second = first.hasDied ? await live(runOf({ id, tasks, isStart: !first.hasBegun }, () => {})) : first
    const results = second.results ?? first.results ?? {}

    expect(second.hasDied).toBe(false)
    expect(Object.keys(results).toSorted()).toEqual(tasks)
    if (first.hasDied) {
      for (const [task, value] of kept) {
        expect(results[task]).toEqual(value)
        expect([...second.computed.keys()]).not.toContain(task)
      }
    }
    for (const task of tasks) {
      expect([first.computed.get(task), second.computed.get(task)]).toContainEqual(results[task])
    }
    if (isAtomic) expect(await keys()).toEqual([])
    else await expectExpiries()
    await ask('FLUSHALL')
    return first.hasDied
  }

  return {
    target: () => ({ port: proxy.port, prefix: PREFIX, ttl: TTL_MS }),
    dieEverywhere: async (options, live) => {
      let deaths = 0
      for (const moment of options.moments ?? ['before', 'after']) {
        for (let at = 1; await dieOnce(at, moment, options, live); at += 1) deaths += 1
      }
      return deaths
    },
  }
}

function noteLife() {
  const computed = new Map<string, unknown>()
  let hasBegun = false
  let results: Life['results']
  const telling: Telling = {
    begun: async () => void (hasBegun = true),
    computes: async (task, value = { task, number: Math.random() }) => {
      computed.set(task, value)
      return value
    },
    finished: async (all) => void (results = all),
  }
  return { telling, end: (how: 'died' | 'done'): Life => ({ hasDied: how === 'died', hasBegun, computed, results }) }
}
