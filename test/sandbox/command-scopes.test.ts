import { describe, expect, it } from 'vitest'
import { menuOf, type Viewer } from '../../src/sandbox/bot-api/command-scopes.ts'

const ANNA = 11
const GROUP = -4400

const inPrivate: Viewer = { userId: ANNA, chatId: ANNA, chatType: 'private', isAdmin: false }
const inGroup: Viewer = { userId: ANNA, chatId: GROUP, chatType: 'group', isAdmin: false }
const asAdmin: Viewer = { ...inGroup, isAdmin: true }

const PRIVATE_ORDER = ['chat 11', 'all_private_chats', 'default']
const GROUP_ORDER = ['chat_member -4400 11', 'chat -4400', 'all_group_chats', 'default']
const ADMIN_ORDER = [
  'chat_member -4400 11',
  'chat_administrators -4400',
  'chat -4400',
  'all_chat_administrators',
  'all_group_chats',
  'default',
]

/** The scopes and languages that are looked at when no menu is found. */
function lookedAt(viewer: Viewer): readonly string[] {
  const seen: string[] = []
  menuOf(viewer, (scope, language) => {
    seen.push(language === '' ? scope : `${scope} (${language})`)
    return []
  })
  return seen
}

describe('The command menu', () => {
  it.each([
    ['in a private chat', inPrivate, PRIVATE_ORDER],
    ['in a group', inGroup, GROUP_ORDER],
    ['of an admin in a group', asAdmin, ADMIN_ORDER],
    ['of an admin in a supergroup', { ...asAdmin, chatType: 'supergroup' } as const, ADMIN_ORDER],
  ])('%s is looked for from the narrowest scope to the widest', (_where, viewer, order) => {
    expect(lookedAt(viewer)).toEqual(order)
    expect(lookedAt({ ...viewer, language: 'de' })).toEqual(order.flatMap((scope) => [`${scope} (de)`, scope]))
  })

  it.each([
    [{ 'chat_member -4400 11': 'own', default: 'all' }, asAdmin, 'own'],
    [{ 'chat_administrators -4400': 'admins', 'chat -4400': 'group' }, asAdmin, 'admins'],
    [{ 'chat_administrators -4400': 'admins', 'chat -4400': 'group' }, inGroup, 'group'],
    [{ all_chat_administrators: 'admins', all_group_chats: 'groups' }, inGroup, 'groups'],
    [{ all_private_chats: 'private', all_group_chats: 'groups', default: 'all' }, inPrivate, 'private'],
    [{ all_private_chats: 'private' }, inGroup, undefined],
    [{ 'chat -4400': 'group' }, inPrivate, undefined],
    [{ 'de/default': 'alle', 'chat 11': 'own' }, { ...inPrivate, language: 'de' }, 'own'],
    [{ 'de/default': 'alle', default: 'all' }, { ...inPrivate, language: 'de' }, 'alle'],
    [{ 'de/default': 'alle', default: 'all' }, { ...inPrivate, language: 'fr' }, 'all'],
    [{ 'de/default': 'alle' }, inPrivate, undefined],
  ] as readonly (readonly [Readonly<Record<string, string>>, Viewer, string | undefined])[])(
    'of %j, seen by %j, is %s',
    (menus, viewer, seen) => {
      const found = menuOf(viewer, (scope, language) => {
        const menu = menus[language === '' ? scope : `${language}/${scope}`]
        return menu === undefined ? [] : [menu]
      })

      expect(found[0]).toBe(seen)
    },
  )
})
