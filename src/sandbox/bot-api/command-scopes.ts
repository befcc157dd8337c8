import type { ChatType } from './world.ts'

/** Who looks at a command menu, and where. */
export interface Viewer {
  readonly userId: number
  readonly chatId: number
  readonly chatType: ChatType
  /** Whether the person is an admin of the group, or its owner. */
  readonly isAdmin: boolean
  /** Two letters; absent where it is not known. */
  readonly language?: string
}

/** A scope as text: equal texts are equal scopes. The parts are its type and, where it has them, chat and member. */
export const scopeKey = (...parts: readonly (string | number)[]): string => parts.join(' ')

/**
 * The menu that a person sees: the first one that is not empty, looked for from the narrowest scope to the widest, in each
 * first in the person's language and then without one. The order is that of Telegram's page on BotCommandScope.
 */
export function menuOf<Command>(
  viewer: Viewer,
  find: (scope: string, language: string) => readonly Command[],
): readonly Command[] {
  const languages = viewer.language === undefined ? [''] : [viewer.language, '']
  const candidates = scopesOf(viewer).flatMap((scope) => languages.map((language) => find(scope, language)))
  return candidates.find(({ length }) => length > 0) ?? []
}

function scopesOf({ userId, chatId, chatType, isAdmin }: Viewer): readonly string[] {
  if (chatType === 'private') return [scopeKey('chat', chatId), 'all_private_chats', 'default']
  return [
    scopeKey('chat_member', chatId, userId),
    ...(isAdmin ? [scopeKey('chat_administrators', chatId)] : []),
    scopeKey('chat', chatId),
    ...(isAdmin ? ['all_chat_administrators'] : []),
    'all_group_chats',
    'default',
  ]
}
