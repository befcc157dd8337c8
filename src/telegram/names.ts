import type { Api, MiddlewareFn } from 'grammy'
import type { By } from '../orders/entries.ts'
import { cut } from './text.ts'

/** What people are called in cards and answers: by the names that Telegram tells, kept in memory only. */
export interface Names {
  /** Remembers the sender of an update. */
  readonly remember: MiddlewareFn
  /** The name of whoever made an entry, as far as it is known. */
  nameOf(by: By): string
  /** The same, asking Telegram when this instance has not met the person yet. */
  findName(by: By, chatId: number): Promise<string>
}

/** People who are remembered. */
const MOST_PEOPLE = 5_000

export function createNames(api: Api): Names {
  const known = new Map<number, string>()
  const learn = (id: number, name: string) => {
    if (known.size < MOST_PEOPLE) known.set(id, cut(name, 40))
  }
  const nameOf = (by: By) => (typeof by === 'string' ? by : (known.get(by) ?? `user ${by}`))
  return {
    nameOf,
    remember: async (context, next) => {
      if (context.from !== undefined) learn(context.from.id, context.from.first_name)
      await next()
    },
    findName: async (by, chatId) => {
      if (typeof by === 'number' && !known.has(by)) {
        const member = await api.getChatMember(chatId, by).catch(() => undefined)
        if (member !== undefined) learn(by, member.user.first_name)
      }
      return nameOf(by)
    },
  }
}
