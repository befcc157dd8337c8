import { isRedisError } from '../../errors.ts'
import type { Transport } from '../transport.ts'
import type { UsageView } from './usage-view.ts'
import { writeHash } from './write-hash.ts'

/** The facts of a month that instances tell each other. */
export interface Marks {
  putOnce(mark: string, text: string): Promise<boolean>
  put(mark: string, text: string): Promise<void>
}

export interface MarksOptions {
  readonly send: Transport
  readonly view: UsageView
}

/** Puts marks as `Usage` promises it. */
export function createMarks({ send, view }: MarksOptions): Marks {
  const { ledgers } = view
  /** Texts that may have been put, since their answers were lost. */
  const unsure = new Map<string, readonly string[]>()

  const write = async (words: readonly [name: 'HSET' | 'HSETNX', mark: string, text: string]) => {
    const ledger = ledgers.current()
    const [name, mark, text] = words
    const added = await writeHash(ledger, { send, words })
    const isPut = name === 'HSET' || added === 1
    if (isPut && ledger === ledgers.current()) view.note({ marks: new Map([...view.others().marks, [mark, text]]) })
    return isPut
  }

  return {
    put: async (mark, text) => {
      await write(['HSET', mark, text])
    },
    putOnce: async (mark, text) => {
      const name = `${ledgers.current().month.name} ${mark}`
      const sent = unsure.get(name) ?? []
      try {
        if (await write(['HSETNX', mark, text])) return true
      } catch (error) {
        if (isRedisError(error, 'REDIS_UNREACHABLE')) unsure.set(name, [...sent, text])
        throw error
      }
      if (sent.length === 0) return false
      await view.look({ withPrior: false })
      const stored = view.others().marks.get(mark)
      unsure.delete(name)
      return stored !== undefined && sent.includes(stored)
    },
  }
}
