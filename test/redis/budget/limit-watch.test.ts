import { expect, it } from 'vitest'
import { RedisError } from '../../../src/errors.ts'
import { watchLimit } from '../../../src/redis/budget/limit-watch.ts'
import { refusal } from '../../../src/redis/failures.ts'
import type { Command, Reply } from '../../../src/redis/transport.ts'

const limit = refusal('GET', 'ERR max requests limit exceeded. Limit: 500000, Usage: 500000. See https://x.example')
const other = refusal('GET', 'ERR unknown command')

/** A watched transport that answers as the test says, and how often it told that the limit is reached. */
function aRig() {
  let answer: readonly Reply[] | RedisError = []
  let told = 0
  const watch = watchLimit(
    async () => {
      if (answer instanceof RedisError) throw answer
      return answer
    },
    () => void (told += 1),
  )
  const send = async (commands: readonly Command[], next: readonly Reply[] | RedisError) => {
    answer = next
    await watch.send(commands).catch(() => undefined)
    return { isReached: watch.isReached(), told }
  }
  return { send, watch }
}

const GET: Command = ['GET', 'order:1']

it('is not reached before anything was sent', () => {
  expect(aRig().watch.isReached()).toBe(false)
})

it.each([
  ['a request as a whole', limit],
  ['one command of a request', ['OK', limit]],
])('is reached once the provider refuses %s because of it, and told once', async (_, refused) => {
  const { send } = aRig()
  await send([GET], [null])

  expect(await send([GET, GET], refused)).toEqual({ isReached: true, told: 1 })
  expect(await send([GET, GET], refused)).toEqual({ isReached: true, told: 1 })
})

it('stays reached while only free commands are answered, or nothing is', async () => {
  const { send } = aRig()
  await send([GET], [null])
  await send([GET], limit)

  expect(await send([['PING'], ['INFO']], ['PONG', ''])).toEqual({ isReached: true, told: 1 })
  expect(await send([GET], new RedisError('REDIS_UNREACHABLE', 'Nobody answers.'))).toMatchObject({ isReached: true })
})

it('is no news to who begins while it is reached', async () => {
  const { send } = aRig()

  expect(await send([GET], limit)).toEqual({ isReached: true, told: 0 })
  expect(await send([GET], limit)).toEqual({ isReached: true, told: 0 })
})

it('is not over because a command is refused for another reason', async () => {
  const { send } = aRig()
  await send([GET], limit)

  expect(await send([GET], [other])).toEqual({ isReached: true, told: 0 })
})

it('is over as soon as a billed command is carried out again, and told anew the next time', async () => {
  const { send } = aRig()
  await send([GET], [null])
  await send([GET], limit)

  expect(await send([['PING'], GET], ['PONG', null])).toEqual({ isReached: false, told: 1 })
  expect(await send([GET], limit)).toEqual({ isReached: true, told: 2 })
})

it.each([
  ['another refusal', other],
  ['another refusal of one command', ['OK', other]],
  ['no answer', new RedisError('REDIS_UNREACHABLE', 'Nobody answers.')],
])('is not reached by %s', async (_, failure) => {
  expect(await aRig().send([GET], failure)).toEqual({ isReached: false, told: 0 })
})

it('hands replies and failures on as they are', async () => {
  const replies: readonly Reply[] = ['a', null, 7, ['b'], other]
  const watch = watchLimit(
    async () => replies,
    () => undefined,
  )

  expect(await watch.send([GET])).toBe(replies)
  await expect(watchLimit(() => Promise.reject(limit), ignored).send([GET])).rejects.toBe(limit)
})

const ignored = () => undefined
