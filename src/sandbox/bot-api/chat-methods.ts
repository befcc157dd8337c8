import { findChat } from './access.ts'
import { badRequest } from './failures.ts'
import { chatJson, userJson } from './message-json.ts'
import type { Methods } from './methods.ts'
import type { Chat, World } from './world.ts'

/** What a bot can find out about chats and their members. */
export function createChatMethods(world: World): Methods {
  const member = (chat: Chat, userId: number) => {
    const status = statusOf(chat, userId, world.bot.id)
    const user = userJson(userId, world)
    if (status === 'creator') return { user, status, is_anonymous: false }
    return status === 'administrator' ? { user, status, can_be_edited: false, ...ADMIN_RIGHTS } : { user, status }
  }

  return {
    getChat: (call) => {
      const chat = findChat(world, call, 'read')
      const gifts = { unlimited_gifts: false, limited_gifts: false, unique_gifts: false, premium_subscription: false }
      const full = { accent_color_id: 0, max_reaction_count: 11, accepted_gift_types: gifts }
      return { result: { ...chatJson(chat, world), ...full } }
    },
    getChatMember: (call) => {
      const userId = call.integer('user_id')
      if (userId <= 0) throw badRequest('Invalid user_id specified')
      const chat = findChat(world, call, userId === world.bot.id ? 'read' : 'members')
      if (userId !== world.bot.id && !world.people.has(userId)) throw badRequest('user not found')
      return { result: member(chat, userId) }
    },
    getChatAdministrators: (call) => {
      const chat = findChat(world, call, 'members')
      if (chat.type === 'private') throw badRequest('there are no administrators in the private chat')
      const ids = new Set([...(chat.owner === undefined ? [] : [chat.owner]), ...chat.admins])
      return { result: [...ids].map((id) => member(chat, id)) }
    },
  }
}

function statusOf(chat: Chat, userId: number, botId: number): string {
  if (userId === botId && chat.isKicked) return 'kicked'
  if (userId === chat.owner) return 'creator'
  if (chat.admins.has(userId)) return 'administrator'
  const isMember = chat.members.has(userId) || (chat.type === 'private' && userId === botId)
  return isMember ? 'member' : 'left'
}

const ADMIN_RIGHTS = {
  is_anonymous: false,
  can_manage_chat: true,
  can_delete_messages: true,
  can_manage_video_chats: true,
  can_restrict_members: true,
  can_promote_members: false,
  can_change_info: true,
  can_invite_users: true,
  can_post_stories: false,
  can_edit_stories: false,
  can_delete_stories: false,
}
