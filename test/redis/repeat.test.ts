import { describe, expect, it } from 'vitest'
import type { RedisErrorCode } from '../../src/errors.ts'
import { withRepeats } from '../../src/redis/repeat.ts'
import type { Reply } from '../../src/redis/transport.ts'
import { failure } from '../support/transport.ts'

/** A transport that fails as told, then answers. */
function failing(...failures: Error[]) {
  const rest = [...failures]
  const attempts: number[] = []
  const send = async (): Promise<readonly Reply[]> => {
    attempts.push(attempts.length + 1)
    const next = rest.shift()
    if (next !== undefined) throw next
    return ['OK']
  }
  return { send, attempts }
}

const silence = failure('REDIS_UNREACHABLE')
const pausesMs = [0, 0]

describe('a repeated request', () => {
  it('is sent once where it is answered', async () => {
    const { send, attempts } = failing()

    expect(await withRepeats(send, { pausesMs })([['GET', 'a']])).toEqual(['OK'])
    expect(attempts).toHaveLength(1)
  })

  it.each([1, 2])('is answered after %i tries without an answer, and each repetition is told', async (count) => {
    const { send, attempts } = failing(...Array.from({ length: count }, () => silence))
    let repeats = 0

    const repeating = withRepeats(send, { pausesMs, onRepeat: () => void (repeats += 1) })

    expect(await repeating([['GET', 'a']])).toEqual(['OK'])
    expect([attempts.length, repeats]).toEqual([count + 1, count])
  })

  it('is given up after the third try, with the error of the last', async () => {
    const last = failure('REDIS_UNREACHABLE')
    const { send, attempts } = failing(silence, silence, last)

    await expect(withRepeats(send, { pausesMs })([['GET', 'a']])).rejects.toBe(last)
    expect(attempts).toHaveLength(3)
  })

  it.each(['REDIS_LIMIT', 'REDIS_FULL', 'REDIS_REFUSED', 'REDIS_WRONG_TYPE'] satisfies RedisErrorCode[])(
    'is not sent again after %s',
    async (code) => {
      const { send, attempts } = failing(failure(code))

      await expect(withRepeats(send, { pausesMs })([['GET', 'a']])).rejects.toMatchObject({ code })
      expect(attempts).toHaveLength(1)
    },
  )

  it('is not sent again after an error of another kind, nor after one while repeating', async () => {
    const defect = new TypeError('A test made this failure.')

    await expect(withRepeats(failing(defect).send, { pausesMs })([['GET', 'a']])).rejects.toBe(defect)
    const { send, attempts } = failing(silence, defect)
    await expect(withRepeats(send, { pausesMs })([['GET', 'a']])).rejects.toBe(defect)
    expect(attempts).toHaveLength(2)
  })

  it('is not sent again for the refusal of one of its commands', async () => {
    let attempts = 0
    const send = async () => {
      attempts += 1
      return [silence]
    }

    expect(await withRepeats(send, { pausesMs })([['GET', 'a']])).toEqual([silence])
    expect(attempts).toBe(1)
  })

  it('waits before it is sent again', async () => {
    const { send } = failing(silence, silence)
    const begun = performance.now()

    await withRepeats(send, { pausesMs: [20, 30] })([['GET', 'a']])

    expect(performance.now() - begun).toBeGreaterThanOrEqual(45)
  })
})
