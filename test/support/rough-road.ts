import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { unreachable } from '../../src/redis/failures.ts'
import { dropLeftover } from '../../src/redis/scripts.ts'
import type { Command, Reply, Transport, Value } from '../../src/redis/transport.ts'
import { isOrderText } from './naive-fold.ts'

/**
 * What happens to one request on its way: nothing; carried out twice, with the first answer; carried out, its answer lost;
 * never sent; held back until after the next request of anybody; carried out after its orders were deleted, or deleted and
 * stored anew. Whatever brings no answer is REDIS_UNREACHABLE to the sender.
 */
export type Trouble = 'none' | 'twice' | 'lost' | 'unsent' | 'late' | 'swept' | 'reborn'

/** How a request really travels: `lost` and `unsent` must reject with REDIS_UNREACHABLE. */
export type Carrier = (commands: readonly Command[], how: 'pass' | 'lost' | 'unsent') => Promise<readonly Reply[]>

/** One command that a sender sent, and how the store stood right after it. */
export interface Sent {
  readonly command: Command
  readonly key: string
  readonly isAnswered: boolean
  readonly text: string | undefined
  readonly life: number
}

/** A sender's way to the store. */
export interface Road {
  readonly send: Transport
  /** Empties the record and says what shall happen to the next requests; the rest pass. */
  begin(troubles: readonly Trouble[]): void
  readonly sent: readonly Sent[]
}

/** The store as a plain map, told of every command in the order in which the server carries them out. */
export interface World {
  open(carry: Carrier): Road
  textOf(key: string): string | undefined
  /** How often an order was stored under this key. */
  lifeOf(key: string): number
  /** Somebody deletes what a key holds. */
  remove(key: string): Promise<void>
  /** Whether a held-back request is still to come. */
  hasLate(): boolean
  /** Delivers what is held back. */
  settle(): Promise<void>
}

/**
 * Lets requests through one at a time, compares each answer with what the map says, and causes trouble.
 *
 * @param direct somebody else's connection, which nothing happens to.
 * @param reborn the text under which an order is stored anew.
 */
export function createWorld(direct: Transport, reborn: (key: string) => string): World {
  const texts = new Map<string, string>()
  const lives = new Map<string, number>()
  let late: (() => Promise<unknown>)[] = []
  let turn: Promise<unknown> = Promise.resolve()

  const inTurn = <Result>(task: () => Promise<Result>): Promise<Result> => {
    const mine = turn.then(task, task)
    turn = mine.catch(() => undefined)
    return mine
  }
  const effectOf = ([name, first = '', ...rest]: Command): Value | undefined => {
    const key = String(first)
    const text = texts.get(key)
    switch (name) {
      case 'GET':
        return text ?? null
      case 'MGET':
        return [key, ...rest].map((one) => texts.get(String(one)) ?? null)
      case 'SET':
        if (text !== undefined) return null
        texts.set(key, String(rest[0]))
        lives.set(key, (lives.get(key) ?? 0) + 1)
        return 'OK'
      case 'APPEND':
        texts.set(key, (text ?? '') + String(rest[0]))
        return Buffer.byteLength(texts.get(key) ?? '')
      case 'UNLINK':
        return [key, ...rest].filter((one) => texts.delete(String(one))).length
      case 'EVAL': {
        if (first !== dropLeftover.lua) throw new Error('A script that no order store has any use for.')
        const dropped = String(rest[1])
        return !isOrderText(texts.get(dropped)) && texts.delete(dropped) ? 1 : 0
      }
      default:
        return undefined
    }
  }
  const carryOut = async (carry: Transport, commands: readonly Command[]) => {
    const replies = await carry(commands)
    check(commands, replies, commands.map(effectOf))
    return replies
  }

  const open = (carry: Carrier): Road => {
    let troubles: Trouble[] = []
    let sent: Sent[] = []
    const pass: Transport = (commands) => carry(commands, 'pass')
    const note = (commands: readonly Command[], isAnswered: boolean) => {
      for (const command of commands) {
        for (const key of keysOf([command])) {
          sent.push({ command, key, isAnswered, text: texts.get(key), life: lives.get(key) ?? 0 })
        }
      }
    }
    const lose = async (commands: readonly Command[], how: 'lost' | 'unsent') => {
      await carry(commands, how).then(
        () => Promise.reject(new Error('The carrier lost nothing.')),
        () => undefined,
      )
      if (how === 'lost') commands.forEach(effectOf)
      note(commands, false)
      throw unreachable('on purpose')
    }

    const travel = async (commands: readonly Command[], trouble: Trouble) => {
      if (trouble === 'unsent') return lose(commands, 'unsent')
      if (trouble === 'late') {
        note(commands, false)
        late.push(() => carryOut(pass, commands))
        throw unreachable('on purpose')
      }
      const dueNow = late
      late = []
      try {
        if (trouble === 'lost') return await lose(commands, 'lost')
        if (trouble === 'swept' || trouble === 'reborn') {
          const orders = keysOf(commands).filter((key) => isOrderText(texts.get(key)))
          for (const key of orders) {
            await carryOut(direct, [['UNLINK', key]])
            if (trouble === 'reborn') await carryOut(direct, [['SET', key, reborn(key), 'NX', 'EX', 5_000]])
          }
        }
        const replies = await carryOut(pass, commands)
        note(commands, true)
        if (trouble === 'twice') await carryOut(pass, commands)
        return replies
      } finally {
        for (const deliver of dueNow) await deliver()
      }
    }

    return {
      send: (commands) => inTurn(() => travel(commands, possible(commands, troubles.shift() ?? 'none'))),
      begin: (next) => {
        troubles = [...next]
        sent = []
      },
      get sent() {
        return sent
      },
    }
  }

  return {
    open,
    textOf: (key) => texts.get(key),
    lifeOf: (key) => lives.get(key) ?? 0,
    remove: (key) => inTurn(async () => void (await carryOut(direct, [['UNLINK', key]]))),
    hasLate: () => late.length > 0,
    settle: () =>
      inTurn(async () => {
        for (const deliver of late.splice(0)) await deliver()
      }),
  }
}

/** The keys that commands are about. */
const keysOf = (commands: readonly Command[]) =>
  commands.flatMap(([name, ...args]) => (name === 'EVAL' ? [args[2]] : name === 'MGET' ? args : [args[0]])).map(String)

/**
 * An UNLINK cannot tell a removed order from one that was received again since. It comes right after the move to `removed`,
 * so that would take a sweep and an intake of this very order in between; nothing for one command rules it out.
 */
function possible([command]: readonly Command[], trouble: Trouble): Trouble {
  if (command?.[0] !== 'UNLINK') return trouble
  return trouble === 'late' ? 'lost' : trouble === 'reborn' ? 'swept' : trouble
}

function check(commands: readonly Command[], replies: readonly Reply[], expected: readonly (Value | undefined)[]) {
  for (const [at, [name, key]] of commands.entries()) {
    if (expected[at] === undefined || isDeepStrictEqual(replies[at], expected[at])) continue
    throw new Error(`${name} ${key} answered ${String(replies[at])} where ${String(expected[at])} was expected.`)
  }
}
