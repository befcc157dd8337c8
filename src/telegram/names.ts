import type { Api, MiddlewareFn } from 'grammy'
import type { By } from '../orders/entries.ts'
import { isRefusal } from './calls.ts'
import { inLine } from './text.ts'

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
    if (known.size < MOST_PEOPLE) known.set(id, inLine(name, 40) || unknownName(id))
  }
  const nameOf = (by: By) =>
    typeof by === 'string' ? inLine(by, 40) || 'somebody' : (known.get(by) ?? unknownName(by))
  return {
    nameOf,
    remember: async (context, next) => {
      if (context.from !== undefined) learn(context.from.id, context.from.first_name)
      await next()
    },
    findName: async (by, chatId) => {
      if (typeof by === 'number' && !known.has(by)) {
        await api.getChatMember(chatId, by).then(
          ({ user }) => learn(by, user.first_name),
          // Whom Telegram does not know today it will not know for the next card either.
          (error: unknown) => isNobody(error) && learn(by, unknownName(by)),
        )
      }
      return nameOf(by)
    },
  }
}

/** Whether Telegram said that there is no such member, not that it could not be asked in this chat. */
const isNobody = (error: unknown) =>
  isRefusal(error) && /user not found|member not found|PARTICIPANT_ID_INVALID/i.test(error.description)

const unknownName = (id: number) => `user ${id}`
