import { type Script, scriptOf } from '../scripts.ts'
import type { CommandTable } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { readInteger, refuse } from './refused.ts'

/** EVAL of the scripts that Orderly knows by name, each as its twin in TypeScript. */
export const scriptCommands: CommandTable = {
  EVAL: { arity: -3, run: evaluate },
}

type Twin = (key: string, args: readonly string[], store: Keyspace) => number

const twins: Readonly<Record<Script['name'], Twin>> = {
  'release-lock': (key, [token], store) =>
    store.find(key, 'string')?.toString() === token ? Number(store.remove(key)) : 0,
  'drop-leftover': (key, _, store) => (store.find(key, 'string')?.[0] === 0x1e ? Number(store.remove(key)) : 0),
}

function evaluate([lua = '', keyCount, key = '', ...args]: readonly string[], store: Keyspace): number {
  const script = scriptOf(['EVAL', lua])
  if (script === undefined || readInteger(keyCount) !== 1) refuse('ERR unknown script for the embedded store')
  return twins[script.name](key, args, store)
}
