import { describe, expect, it } from 'vitest'
import { createMemoryConnection } from '../../src/redis/memory.ts'
import { scanPages } from '../../src/redis/scan.ts'
import type { Command, Reply, Transport } from '../../src/redis/transport.ts'
import { fakeClock } from '../support/clock.ts'
import { failure, spoil, watched } from '../support/transport.ts'

async function storeOf(count: number) {
  const transport = watched(createMemoryConnection({ clock: fakeClock('2025-12-08T21:00:00+01:00') }).send)
  const keys = Array.from({ length: count }, (_, at) => `${at % 2 === 0 ? 'order' : 'other'}:${at}`)
  await transport.send(keys.map((key): Command => ['SET', key, '1']))
  transport.forget()
  return { transport, keys }
}

async function collect(send: Transport, match?: string) {
  const pages: (readonly string[])[] = []
  for await (const page of scanPages(send, match === undefined ? {} : { match })) pages.push(page)
  return pages
}

describe('a scan', () => {
  it.each([
    [0, 1],
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [3_500, 4],
  ])('of %i keys brings each of them for %i commands', async (count, commands) => {
    const { transport, keys } = await storeOf(count)

    const pages = await collect(transport.send)

    expect(pages.flat().toSorted()).toEqual(keys.toSorted())
    expect(transport.sent()).toHaveLength(commands)
  })

  it('brings what matches only, but looks at every key', async () => {
    const { transport, keys } = await storeOf(2_000)

    const pages = await collect(transport.send, 'order:*')

    expect(pages.flat().toSorted()).toEqual(keys.filter((key) => key.startsWith('order:')).toSorted())
    expect(transport.sent().map((command) => command.slice(2))).toEqual([
      ['MATCH', 'order:*', 'COUNT', 1_000],
      ['MATCH', 'order:*', 'COUNT', 1_000],
    ])
  })

  it('goes on after an empty page', async () => {
    const replies: Record<string, Reply> = {
      0: ['5', []],
      5: ['18446744073709551615', []],
      '18446744073709551615': ['0', ['a']],
    }

    const pages = await collect(async ([command]) => [replies[String(command?.[1])] ?? null])

    expect(pages).toEqual([[], [], ['a']])
  })

  it('asks for the next page while the consumer works on this one, and never for two', async () => {
    const { transport } = await storeOf(3_000)
    const asked: number[] = []

    for await (const _ of scanPages(transport.send)) asked.push(transport.sent().length)

    expect(asked).toEqual([2, 3, 3])
  })

  it('that is left early leaves no request under way', async () => {
    const { transport } = await storeOf(3_000)
    let open = 0
    transport.onRequest = async (_, carryOut) => {
      open += 1
      await new Promise((resolve) => setImmediate(resolve))
      const replies = await carryOut()
      open -= 1
      return replies
    }

    for await (const _ of scanPages(transport.send)) break

    expect(open).toBe(0)
  })

  it('brings what came before a page that failed, then its failure', async () => {
    const { transport } = await storeOf(2_500)
    transport.onRequest = async (commands, carryOut) =>
      commands[0]?.[1] === '0' ? carryOut() : [failure('REDIS_LIMIT')]
    const pages: (readonly string[])[] = []

    const scan = async () => {
      for await (const page of scanPages(transport.send)) pages.push(page)
    }

    await expect(scan()).rejects.toMatchObject({ code: 'REDIS_LIMIT' })
    expect(pages).toHaveLength(1)
  })

  it('that is left while the next page fails ends without an error', async () => {
    const { transport } = await storeOf(2_500)
    transport.onRequest = async (commands, carryOut) =>
      commands[0]?.[1] === '0' ? carryOut() : Promise.reject(failure('REDIS_UNREACHABLE'))

    for await (const page of scanPages(transport.send)) {
      expect(page).toHaveLength(1_000)
      break
    }
  })

  it('that fails at once throws at once', async () => {
    const { transport } = await storeOf(1)
    transport.onRequest = spoil('SCAN', async () => Promise.reject(failure('REDIS_UNREACHABLE')))

    await expect(collect(transport.send)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
  })

  it.each([[null], ['OK'], [7], [[]], [['0']], [[0, []]], [['0', 'a']], [['0', [1]]]])(
    'answered with %j, which is no page, is an error that says so',
    async (reply) => {
      await expect(collect(async () => [reply])).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
    },
  )
})
