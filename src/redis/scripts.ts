import type { Command, Reply } from './transport.ts'

/** A Lua script by name. The memory driver runs a twin of the same name in TypeScript. */
export interface Script {
  readonly name: 'release-lock' | 'drop-leftover'
  readonly lua: string
  /** The commands that it ran inside, known from its reply; the worst case for `undefined` (no reply came). */
  inner(reply: Reply | undefined): readonly string[]
}

/** Deletes the lock only if it is still ours. KEYS[1] lock, ARGV[1] its value; returns 1 if released, 0 if lost. */
export const releaseLock: Script = {
  name: 'release-lock',
  lua: "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
  inner: (reply) => (reply === 0 ? ['GET'] : ['GET', 'DEL']),
}

/**
 * Deletes an order's value only if it holds nothing but entries, i.e. begins with 0x1E; between our look and this call
 * the order may have been received again. KEYS[1] order; returns 1 if dropped, 0 if it is an order or has gone.
 */
export const dropLeftover: Script = {
  name: 'drop-leftover',
  lua: "if redis.call('GETRANGE', KEYS[1], 0, 0) == '\\30' then return redis.call('UNLINK', KEYS[1]) end return 0",
  inner: (reply) => (reply === 0 ? ['GETRANGE'] : ['GETRANGE', 'UNLINK']),
}

const scripts = [releaseLock, dropLeftover]

/** The command that runs a script. Billed as itself plus what it runs inside. */
export const evalCommand = (script: Script, key: string, ...args: string[]): Command => [
  'EVAL',
  script.lua,
  1,
  key,
  ...args,
]

/** The script that a command runs, if it is one of ours. */
export const scriptOf = ([name, lua]: Command): Script | undefined =>
  name === 'EVAL' ? scripts.find((script) => script.lua === lua) : undefined

/** A Lua script over keys of a foreign system, for a Redis server only: the memory driver has no twin of it. */
export interface ServerScript extends Omit<Script, 'name'> {
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

const serverScripts = new WeakMap<Command, ServerScript>()

/** The command that runs a script over any number of keys. Billed as itself plus what it runs inside. */
export function serverScriptCommand(script: ServerScript): Command {
  const command: Command = ['EVAL', script.lua, script.keys.length, ...script.keys, ...script.args]
  serverScripts.set(command, script)
  return command
}

/** The commands that a command ran inside itself, known from its reply; the worst case for `undefined` (no reply came). */
export const innerCommands = (command: Command, reply: Reply | undefined): readonly string[] =>
  (scriptOf(command) ?? serverScripts.get(command))?.inner(reply) ?? []
