import { describe, expect, it } from 'vitest'
import type { Command } from '../../../src/redis/transport.ts'
import { askAll } from '../../../src/sweeps/inngest/ask-all.ts'
import { failure } from '../../support/transport.ts'

const commands = (count: number) => Array.from({ length: count }, (_, at): Command => ['ECHO', at])

describe('many commands', () => {
  it.each([
    [0, []],
    [1, [1]],
    [900, [900]],
    [901, [900, 1]],
    [2_000, [900, 900, 200]],
  ])('that are %i go in requests of %j and are answered in order', async (count, sizes) => {
    const requests: number[] = []

    const values = await askAll(async (batch) => {
      requests.push(batch.length)
      return batch.map(([, word = null]) => word)
    }, commands(count))

    expect(requests).toEqual(sizes)
    expect(values).toEqual(Array.from({ length: count }, (_, at) => at))
  })

  it('fail when one of them has no answer', async () => {
    const short = askAll(async (batch) => batch.slice(1).map(() => 1), commands(3))

    await expect(short).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
  })

  it('fail when one of them is refused', async () => {
    const refused = askAll(async () => [1, failure('REDIS_REFUSED'), 1], commands(3))

    await expect(refused).rejects.toMatchObject({ code: 'REDIS_REFUSED' })
  })
})
