import { expect, it, onTestFinished } from 'vitest'
import { createTcpConnection } from '../../../src/redis/tcp.ts'
import type { Reply } from '../../../src/redis/transport.ts'
import { checkState, type StateCheckOptions } from '../../../src/sweeps/inngest/state-check.ts'
import { SweepStopped } from '../../../src/sweeps/guard.ts'
import { fixtureTruth } from '../../support/inngest-fixture.ts'
import { ulidAt } from '../../support/inngest-ulid.ts'
import { describeWithRedis, startRedisServer } from '../../support/redis-server.ts'
import { failure, lost, spoil } from '../../support/transport.ts'
import { NOW_MS, redisRig } from './redis-rig.ts'

const RUN = ulidAt(NOW_MS - 1_000)
const OTHER_RUN = ulidAt(NOW_MS - 2_000)
const ACCOUNT = '00000000-0000-4000-a000-000000000000'

const QUEUE = '{queue}:queue:item'
const FUNCTION = '5592e8f5-04e7-5e31-ac66-e3d5fc3222fb'
const JOBS = `{queue}:queue:sorted:${FUNCTION}`
const IDEMPOTENCY = `{estate:${ACCOUNT}}:key:a-b`
const state = (prefix: string, run = RUN) => `{${prefix}:${run}}:metadata:${run}`

interface Given {
  readonly keys: readonly string[]
  /** The configured prefix. */
  readonly prefix?: string
  /** What the database knows; it has open runs where this is given. */
  readonly known?: readonly string[]
  readonly functions?: readonly string[]
}

const options = ({ prefix, known, functions = [] }: Omit<Given, 'keys'> = {}): StateCheckOptions => ({
  prefix,
  nowMs: NOW_MS,
  hasOpenRuns: known !== undefined,
  knownRuns: async (ids) => {
    expect(known, 'only asked while there are open runs').toBeDefined()
    return new Set(ids.filter((id) => known?.includes(id)))
  },
  knowsFunction: async (ids) => ids.some((id) => functions.includes(id)),
})

/** What the server says of itself, whatever the one of this suite is like. */
const infoSays = (info: Reply) => spoil('INFO', async () => [info], Infinity)

describeWithRedis(
  'the state in Redis',
  () => {
    const rig = redisRig()

    const check = async ({ keys, ...given }: Given) => {
      await rig.put(...keys)
      rig.transport.onRequest = infoSays('maxmemory_policy:noeviction\r\n')
      return await checkState(rig.transport.send, options(given))
    }

    const believed: readonly (readonly [string, string, Given])[] = [
      ['run state', 'estate', { keys: [state('estate')] }],
      ['run state of a run that the database knows', 'estate', { keys: [state('estate')], known: [RUN] }],
      [
        'state of many, of which it knows one',
        'estate',
        { keys: [state('estate', OTHER_RUN), state('estate')], known: [RUN] },
      ],
      ['pauses of a run', 'estate', { keys: [`{estate}:pr:${RUN}`], known: [RUN] }],
      ['an idempotency key, and no run is open', 'estate', { keys: [`{estate:${ACCOUNT}}:key:a-b`] }],
      ['jobs of a function that it knows', 'estate', { keys: [JOBS], known: [RUN], functions: [FUNCTION] }],
      ['the usual prefix beside another one', 'estate', { keys: [state('mine'), state('estate')], known: [RUN] }],
      ['another prefix', 'mine', { keys: [state('mine')] }],
      ['another prefix, and a run that the database knows', 'mine', { keys: [state('mine')], known: [RUN] }],
      ['the configured prefix', 'mine', { keys: [state('mine')], prefix: 'mine', known: [RUN] }],
      [
        'the configured prefix beside the usual one',
        'mine',
        { keys: [state('mine'), state('estate')], prefix: 'mine', known: [RUN] },
      ],
      ['the index of pauses only, and no run is open', 'estate', { keys: ['{estate}:pauses-idx'] }],
      ['a queue with a job of a known run', 'estate', { keys: [`{queue}:idx:run:${RUN}`], known: [RUN] }],
      ['nothing, and no run is open', 'estate', { keys: [] }],
      ['nothing, and no run is open, and a prefix is configured', 'mine', { keys: [], prefix: 'mine' }],
      ['other software, and no run is open', 'estate', { keys: ['bull:mail:41', 'session:9f31c'] }],
      ['a run that the database does not know, and none is open', 'estate', { keys: [state('estate')] }],
    ]
    it.each(believed)('with %s is believed, under the prefix %s', async (_, prefix, given) => {
      expect(await check(given)).toEqual({ ok: true, prefix })
    })

    const doubted: readonly (readonly [string, RegExp, Given])[] = [
      ['nothing', /no key of an Inngest.*INNGEST_REDIS_URL/, { keys: [], known: [RUN] }],
      ['other software only', /no key of an Inngest/, { keys: ['bull:mail:41', '{queue}:mail:wait'], known: [RUN] }],
      [
        'look-alikes only',
        /no key of an Inngest/,
        { keys: ['{estate:tenant-7}:metadata:tenant-7', `estate:${RUN}:metadata`], known: [RUN] },
      ],
      ['a queue that names no run and no function', /nobody can tell/, { keys: [QUEUE], known: [RUN] }],
      ['an idempotency key that names no run', /nobody can tell/, { keys: [IDEMPOTENCY], known: [RUN] }],
      ['the index of pauses only', /nobody can tell/, { keys: ['{estate}:pauses-idx'], known: [RUN] }],
      ['jobs of a function that it does not know', /another Inngest/, { keys: [JOBS], known: [RUN], functions: ['x'] }],
      ['two prefixes', /"(a|b)" and "(a|b)".*INNGEST_REDIS_KEY_PREFIX/, { keys: [state('a'), state('b')] }],
      ['runs that it does not know', /another Inngest/, { keys: [state('estate')], known: [OTHER_RUN] }],
      [
        'jobs of runs that it does not know',
        /another Inngest/,
        { keys: [`{queue}:idx:run:${RUN}`], known: [OTHER_RUN] },
      ],
      [
        'runs under another prefix that it does not know',
        /another Inngest/,
        { keys: [state('mine')], known: [OTHER_RUN] },
      ],
      [
        'another prefix than the configured',
        /it is "estate"/,
        { keys: [state('estate')], prefix: 'inngest', known: [RUN] },
      ],
      [
        'a queue, and not the configured prefix',
        /INNGEST_REDIS_KEY_PREFIX.*Unset it/,
        { keys: [QUEUE], prefix: 'inngest', known: [RUN] },
      ],
    ]
    it.each(doubted)('with %s is doubted while the database has open runs', async (_, because, given) => {
      expect(await check(given)).toEqual({ ok: false, because: expect.stringMatching(because) })
    })

    it.each([
      ['believed where the database knows that run', [RUN], { ok: true, prefix: 'estate' }],
      ['doubted where it does not', [OTHER_RUN], { ok: false, because: expect.stringMatching(/another Inngest/) }],
    ] as const)('with an idempotency key that holds the id of a run is %s', async (_, known, expected) => {
      await rig.put(JOBS)
      await rig.transport.send([['SET', IDEMPOTENCY, RUN]])
      rig.transport.onRequest = infoSays('maxmemory_policy:noeviction\r\n')

      expect(await checkState(rig.transport.send, options({ known }))).toEqual(expected)
    })

    it('of a replica, or of a server that loads, is doubted', async () => {
      for (const line of ['role:slave', 'loading:1']) {
        await rig.put(state('estate'))
        rig.transport.onRequest = infoSays(`maxmemory_policy:noeviction\r\n${line}\r\n`)
        expect(await checkState(rig.transport.send, options())).toMatchObject({ ok: false })
      }
    })

    it.each(['noeviction', 'volatile-lru', 'volatile-ttl'])(
      'of a server with the eviction policy %s is believed',
      async (policy) => {
        await rig.put(state('estate'))
        rig.transport.onRequest = infoSays(`maxmemory_policy:${policy}\r\n`)

        expect(await checkState(rig.transport.send, options())).toEqual({ ok: true, prefix: 'estate' })
      },
    )

    const policies: readonly (readonly [string, Reply, RegExp])[] = [
      ['allkeys-lru', 'maxmemory_policy:allkeys-lru\r\n', /allkeys-lru.*noeviction/],
      ['allkeys-random', 'maxmemory_policy:allkeys-random\r\n', /allkeys-random.*noeviction/],
      ['unheard of', 'maxmemory_policy:cache \u001b[2J\r\n', /does not tell (?!.*cache)/],
      ['absent', 'redis_version:7.0.15\r\n', /does not tell.*INFO/],
      ['secret', failure('REDIS_REFUSED'), /does not tell.*INFO/],
    ]
    it.each(policies)('of a server whose eviction policy is %s is doubted', async (_, info, because) => {
      await rig.put(state('estate'))
      rig.transport.onRequest = infoSays(info)

      const checked = await checkState(rig.transport.send, options())

      expect(checked).toEqual({ ok: false, because: expect.stringMatching(because) })
    })

    it('of the fixture is believed after one page', async () => {
      await rig.fill()
      await rig.put(...Array.from({ length: 5_000 }, (_, at) => `{estate:${ACCOUNT}}:key:${at}`))
      const known = fixtureTruth().runs.map(({ run }) => run)
      rig.transport.onRequest = infoSays('maxmemory_policy:noeviction\r\n')
      rig.transport.forget()

      expect(await checkState(rig.transport.send, options({ known }))).toEqual({ ok: true, prefix: 'estate' })

      // A page that was asked for ahead may come on top.
      const scans = rig.transport.sent().filter(([name]) => name === 'SCAN')
      expect(scans.length).toBeLessThanOrEqual(4)
    })

    it('is searched to its end for a run that the database knows', async () => {
      const strangers = Array.from({ length: 3_000 }, () => state('estate', ulidAt(NOW_MS)))

      expect(await check({ keys: [...strangers, state('estate')], known: [RUN] })).toEqual({
        ok: true,
        prefix: 'estate',
      })
    })

    it('names at most 1 000 runs at a time to the database', async () => {
      await rig.put(...Array.from({ length: 3_000 }, () => state('estate', ulidAt(NOW_MS))))
      rig.transport.onRequest = infoSays('maxmemory_policy:noeviction\r\n')
      const sizes: number[] = []
      const knownRuns = async (ids: readonly string[]) => {
        sizes.push(ids.length)
        return new Set<string>()
      }

      await checkState(rig.transport.send, { ...options(), hasOpenRuns: true, knownRuns })

      expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(3_000)
    })

    it.each(['INFO', 'SCAN'])('is unknown when %s gets no answer', async (name) => {
      rig.transport.onRequest = spoil(name, lost)

      await expect(checkState(rig.transport.send, options())).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
    })

    it('is left as soon as the run must stop', async () => {
      rig.transport.onRequest = async () => {
        throw new SweepStopped('interrupted')
      }

      await expect(checkState(rig.transport.send, options())).rejects.toThrow(SweepStopped)
    })
  },
  { own: false },
)

describeWithRedis('a server that may evict run state', () => {
  it('is not believed', async () => {
    const server = await startRedisServer({ args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] })
    onTestFinished(() => server.stop())
    const connection = createTcpConnection({ url: server.url, deadlineMs: 10_000 })
    onTestFinished(() => connection.close())

    expect(await checkState(connection.send, options())).toEqual({
      ok: false,
      because: expect.stringContaining('allkeys-lru'),
    })
  })
})
