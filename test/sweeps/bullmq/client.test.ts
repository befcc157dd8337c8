import { describe, expect, it } from 'vitest'
import { RedisError } from '../../../src/errors.ts'
import type { Command, Transport } from '../../../src/redis/transport.ts'
import { createBullmqClient } from '../../../src/sweeps/bullmq/client.ts'
import { loadBullmq } from '../../../src/sweeps/bullmq/load.ts'
import { openQueue } from '../../../src/sweeps/bullmq/open-queue.ts'

const guards = {
  one: { lua: 'guard ', args: ['a', 1] },
  two: { lua: '', args: [] },
  around: { lua: 'before\n', after: 'after\n', args: [] },
}

/** A client with four scripts, and what it sends. */
function rig(answer: Transport = async (commands) => commands.map(() => 'OK')) {
  const requests: (readonly Command[])[] = []
  const client = createBullmqClient(
    async (commands) => {
      requests.push(commands)
      return await answer(commands)
    },
    { guards },
  )
  for (const name of ['one', 'two', 'three', 'around'])
    client.defineCommand(`${name}:6.7.0`, { numberOfKeys: 1, lua: `lua of ${name}` })
  return { client, requests }
}

describe('the client that BullMQ is given', () => {
  it('puts the guard before the script, and its arguments behind those of BullMQ', async () => {
    const { client, requests } = rig()

    expect(await client.runCommand('one:6.7.0', ['key', 'word', 7])).toBe('OK')

    expect(requests).toEqual([[['EVAL', 'guard lua of one', 1, 'key', 'word', 7, 'a', 1]]])
  })

  it('puts what is to follow behind the script, and answers what the script answers', async () => {
    const { client, requests } = rig()

    await client.runCommand('around:6.7.0', ['key'])

    const lua = 'before\nlocal function ofBullmq()\nlua of around\nend\nlocal reply = ofBullmq()\nafter\nreturn reply'
    expect(requests).toEqual([[['EVAL', lua, 1, 'key']]])
  })

  it('sends what is asked for at once in one request, and the text of each script once', async () => {
    const { client, requests } = rig()

    await Promise.all(['one', 'two', 'one'].map((name) => client.runCommand(`${name}:6.7.0`, ['key'])))
    await client.runCommand('one:6.7.0', ['key'])

    expect(requests.map((commands) => commands.map(([name]) => name))).toEqual([['EVAL', 'EVAL', 'EVALSHA'], ['EVAL']])
  })

  it('fails only the script that the server refused', async () => {
    const refused = new RedisError('REDIS_REFUSED', 'No.')
    const { client } = rig(async () => ['first', refused, 'third'])

    const ends = await Promise.allSettled(
      ['one', 'two', 'one'].map((name) => client.runCommand(`${name}:6.7.0`, ['key'])),
    )

    expect(ends).toMatchObject([{ value: 'first' }, { reason: refused }, { value: 'third' }])
  })

  it('fails all scripts of a request without an answer', async () => {
    const lost = new RedisError('REDIS_UNREACHABLE', 'Gone.')
    const { client } = rig(() => Promise.reject(lost))

    const ends = await Promise.allSettled(['one', 'two'].map((name) => client.runCommand(`${name}:6.7.0`, ['key'])))

    expect(ends).toMatchObject([{ reason: lost }, { reason: lost }])
  })

  it.each([
    ['a script without a guard', 'three:6.7.0', ['key']],
    ['a script that it was not given', 'four:6.7.0', ['key']],
    ['an argument of bytes', 'one:6.7.0', [new Uint8Array(1)]],
  ])('refuses %s', async (_, name, args) => {
    const { client, requests } = rig()

    await expect(client.runCommand(name, args)).rejects.toThrow('which Orderly does not offer it')
    expect(requests).toEqual([])
  })

  it('is asked for nothing by a queue that opens and closes', async () => {
    const sent: Command[] = []
    const send: Transport = async (commands) => {
      sent.push(...commands)
      return commands.map(() => null)
    }

    const place = { prefix: 'bull', queue: 'mail' }
    const queue = await openQueue({ bullmq: await loadBullmq(), send, place, guards })
    await queue.close()

    expect(sent).toEqual([])
  })
})
