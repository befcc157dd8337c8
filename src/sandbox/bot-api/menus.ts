import { menuOf } from './command-scopes.ts'
import type { World } from './world.ts'

/** A line of a command menu. */
export interface Command {
  /** Without a slash. */
  readonly command: string
  readonly description: string
}

/** The command menus of the bot, one for each scope and language; the language is empty where there is none. */
export interface Menus {
  find(scope: string, language: string): readonly Command[]
  /** An empty menu is none. */
  put(scope: string, language: string, commands: readonly Command[]): void
  /** What a person sees in a chat; nothing where they are no member, or the bot is none. */
  seenBy(userId: number, chatId: number): readonly Command[]
}

export function createMenus(world: World, onChange: () => void): Menus {
  const menus = new Map<string, readonly Command[]>()
  const find = (scope: string, language: string) => menus.get(`${language}/${scope}`) ?? []

  return {
    find,
    put: (scope, language, commands) => {
      menus.set(`${language}/${scope}`, commands)
      onChange()
    },
    seenBy: (userId, chatId) => {
      const chat = world.findChat(chatId)
      if (chat === undefined || chat.isKicked || !chat.members.has(userId)) return []
      const language = world.people.get(userId)?.languageCode?.slice(0, 2).toLowerCase()
      const isAdmin = userId === chat.owner || chat.admins.has(userId)
      const viewer = { userId, chatId, chatType: chat.type, isAdmin, ...(language !== undefined && { language }) }
      return menuOf(viewer, find)
    },
  }
}
