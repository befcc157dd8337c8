import type { Clock } from '../clock.ts'
import { closed, refusal } from './failures.ts'
import { collectionCommands } from './memory/collections.ts'
import type { CommandRule, CommandTable } from './memory/command.ts'
import { genericCommands } from './memory/generic.ts'
import { Keyspace } from './memory/keyspace.ts'
import { Refused, refuse } from './memory/refused.ts'
import { streamCommands } from './memory/streams.ts'
import { stringCommands } from './memory/strings.ts'
import { scriptCommands } from './memory/twins.ts'
import type { Command, Connection, Reply } from './transport.ts'

/**
 * An embedded store for a first run and for tests: empty at the start, gone with the process, never unreachable. It knows
 * the commands that Orderly uses, answers as Redis 7 does, and runs the scripts of `scripts.ts` only.
 */
export function createMemoryConnection({ clock }: { readonly clock: Clock }): Connection {
  const store = new Keyspace(clock)
  let isClosed = false
  return {
    kind: 'memory',
    send: async (commands) => {
      if (isClosed) throw closed()
      return commands.map((command) => carryOut(command, store))
    },
    close: async () => {
      isClosed = true
    },
  }
}

const table: CommandTable = {
  ...genericCommands,
  ...stringCommands,
  ...collectionCommands,
  ...streamCommands,
  ...scriptCommands,
}

function carryOut([name, ...words]: Command, store: Keyspace): Reply {
  try {
    const args = words.map((word) => wellFormed(String(word)))
    return ruleOf(name, args.length).run(args, store)
  } catch (error) {
    if (error instanceof Refused) return refusal(name, error.message)
    throw error
  }
}

function ruleOf(name: string, argCount: number): CommandRule {
  const rule = Object.hasOwn(table, name.toUpperCase()) ? table[name.toUpperCase()] : undefined
  if (rule === undefined) return refuse(`ERR unknown command '${name}'`)
  const words = argCount + 1
  if (rule.arity < 0 ? words < -rule.arity : words !== rule.arity) {
    refuse(`ERR wrong number of arguments for '${name.toLowerCase()}' command`)
  }
  return rule
}

/** Half a surrogate pair cannot be sent: encoding it as UTF-8 makes it U+FFFD. */
const wellFormed = (text: string) => text.replaceAll(/\p{Surrogate}/gu, '\ufffd')
