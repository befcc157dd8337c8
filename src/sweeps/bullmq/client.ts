import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { RedisError } from '../../errors.ts'
import type { Command, Transport, Value } from '../../redis/transport.ts'

/** Lua of ours that runs in one piece with a script of BullMQ. */
export interface Guard {
  /** Runs first, and may end it by `return`. */
  readonly lua: string
  /** Runs last; it sees the locals of `lua`. */
  readonly after?: string
  /** Follow BullMQ's own arguments. */
  readonly args: readonly (string | number)[]
}

export interface ClientOptions {
  /** By name of BullMQ's script, such as `removeJob`. A script without one is refused, whatever a later BullMQ calls it. */
  readonly guards: Readonly<Record<string, Guard>>
}

/** What BullMQ says of a script when it defines it as a command. */
interface Definition {
  readonly numberOfKeys: number
  readonly lua: string
}

/**
 * A client that BullMQ takes for a Redis connection and that sends everything through a transport, so that each of its commands
 * is charged, capped and interruptible. It has guarded scripts only: cleaning and removing need no more.
 *
 * Costs 1 EVAL per script, or EVALSHA where the same one is repeated in a request; what BullMQ's scripts run inside is not
 * counted. Scripts asked for in one turn of the event loop share a request.
 */
export function createBullmqClient(send: Transport, { guards }: ClientOptions) {
  const definitions = new Map<string, Definition>()
  const batched = createBatch(send)

  const runCommand = async (name: string, args: readonly unknown[]): Promise<Value> => {
    const [script = ''] = name.split(':')
    const definition = definitions.get(name)
    const guard = guards[script]
    if (definition === undefined || guard === undefined) throw unsupported(`its script ${script}`)
    return await batched([guardedLua(guard, definition), definition.numberOfKeys, ...args.map(wordOf), ...guard.args])
  }

  return Object.assign(new EventEmitter(), {
    status: 'ready',
    isCluster: false,
    options: {},
    connect: async () => {},
    disconnect: () => {},
    quit: async () => 'OK',
    duplicate: refuse('a second connection'),
    pipeline: refuse('a pipeline'),
    multi: refuse('a transaction'),
    scanStream: refuse('a scan'),
    defineCommand: (name: string, definition: Definition) => void definitions.set(name, definition),
    runCommand,
  })
}

function guardedLua({ lua, after }: Guard, script: Definition): string {
  if (after === undefined) return lua + script.lua
  return `${lua}local function ofBullmq()\n${script.lua}\nend\nlocal reply = ofBullmq()\n${after}return reply`
}

const refuse = (what: string) => () => {
  throw unsupported(what)
}

/** Text and numbers as they are; a script whose arguments are bytes is none of those that are used. */
function wordOf(argument: unknown): string | number {
  if (typeof argument === 'string' || typeof argument === 'number') return argument
  throw unsupported('an argument that is neither text nor a number')
}

const unsupported = (what: string) =>
  new RedisError('REDIS_REFUSED', `BullMQ asked for ${what}, which Orderly does not offer it.`)

/** A script's text, the number of its keys, then keys and arguments. */
type ScriptCall = readonly [lua: string, numberOfKeys: number, ...words: (string | number)[]]

interface Waiting {
  readonly call: ScriptCall
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
}

/** Sends what is asked for in one turn of the event loop as one request. */
function createBatch(send: Transport): (call: ScriptCall) => Promise<Value> {
  let waiting: Waiting[] = []

  const flush = async () => {
    const sent = waiting
    waiting = []
    try {
      const replies = await send(commandsOf(sent.map(({ call }) => call)))
      for (const [at, { resolve, reject }] of sent.entries()) {
        const reply = replies[at] ?? null
        if (reply instanceof RedisError) reject(reply)
        else resolve(reply)
      }
    } catch (error) {
      for (const { reject } of sent) reject(error)
    }
  }

  return (call) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ call, resolve, reject }) === 1) setImmediate(() => void flush())
    })
}

/** The text of each script goes over once; EVAL makes the server remember it. */
function commandsOf(calls: readonly ScriptCall[]): readonly Command[] {
  const digests = new Map<string, string>()
  return calls.map(([lua, ...rest]): Command => {
    const digest = digests.get(lua)
    if (digest !== undefined) return ['EVALSHA', digest, ...rest]
    digests.set(lua, createHash('sha1').update(lua).digest('hex'))
    return ['EVAL', lua, ...rest]
  })
}
