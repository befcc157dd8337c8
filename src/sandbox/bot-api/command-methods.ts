import { checkAccess } from './access.ts'
import type { Arguments } from './arguments.ts'
import { scopeKey } from './command-scopes.ts'
import { badRequest } from './failures.ts'
import { isObject, type JsonObject, requiredInteger, requiredText } from './fields.ts'
import { countCharacters } from './formatted-text.ts'
import type { Command, Menus } from './menus.ts'
import type { Methods } from './methods.ts'
import type { World } from './world.ts'

/** Commands of one scope and language. */
const MOST_COMMANDS = 100

const CHAT_SCOPES = new Set(['chat', 'chat_administrators', 'chat_member'])
const WIDE_SCOPES = new Set(['default', 'all_private_chats', 'all_group_chats', 'all_chat_administrators'])

/** Setting, reading and deleting the command menus. */
export function createCommandMethods(world: World, menus: Menus): Methods {
  const placeOf = (call: Arguments) => [scopeOf(call, world), languageOf(call)] as const

  return {
    setMyCommands: (call) => {
      const commands = parseCommands(call)
      const [scope, language] = placeOf(call)
      commands.forEach(checkCommand)
      if (commands.length > MOST_COMMANDS) throw badRequest('BOT_COMMANDS_TOO_MUCH')
      menus.put(scope, language, commands)
      return { result: true }
    },
    getMyCommands: (call) => ({ result: menus.find(...placeOf(call)) }),
    deleteMyCommands: (call) => {
      menus.put(...placeOf(call), [])
      return { result: true }
    },
  }
}

const refuseCommand = (reason: string) => badRequest(`Can't parse BotCommand: ${reason}`)

function parseCommands(call: Arguments): readonly Command[] {
  const commands = call.json('commands', 'commands') ?? []
  if (!Array.isArray(commands)) throw badRequest('Expected an Array of BotCommand')
  return commands.map((command: unknown) => {
    if (!isObject(command)) throw refuseCommand('expected an Object')
    const name = requiredText(command, 'command', refuseCommand).trim().replace(/^\//, '')
    return { command: name, description: requiredText(command, 'description', refuseCommand).trim() }
  })
}

function checkCommand({ command, description }: Command): void {
  if (command === '') throw badRequest('Command must be non-empty')
  if (countCharacters(command) > 32) throw badRequest('Command length must not exceed 32')
  if (description === '') throw badRequest('Command description must be non-empty')
  if (countCharacters(description) > 256) throw badRequest('Command description length must not exceed 256')
  if (!/^[a-z0-9_]+$/.test(command)) throw badRequest('BOT_COMMAND_INVALID')
}

function languageOf(call: Arguments): string {
  const language = call.text('language_code')
  if (!/^(?:[a-z]{2})?$/.test(language)) throw badRequest('Invalid language code specified')
  return language
}

const refuseScope = (reason: string) => badRequest(`Can't parse BotCommandScope: ${reason}`)

function scopeOf(call: Arguments, world: World): string {
  const scope = call.json('scope', 'BotCommandScope')
  if (scope === undefined) return 'default'
  if (!isObject(scope)) throw refuseScope('BotCommandScope must be an Object')
  const type = requiredText(scope, 'type', refuseScope)
  if (WIDE_SCOPES.has(type)) return type
  if (!CHAT_SCOPES.has(type)) throw refuseScope('Unsupported type specified')
  const chatId = requiredText(scope, 'chat_id', refuseScope)
  if (chatId === '') throw refuseScope('Empty chat_id specified')
  const member = type === 'chat_member' ? [memberOf(scope, world)] : []
  const chat = checkAccess(world.findChat(Number(chatId)), 'read')
  if (!chat.hasStarted) throw badRequest('chat not found')
  if (chat.type === 'private' && type !== 'chat') throw badRequest("Can't use specified scope in private chats")
  return scopeKey(type, chat.id, ...member)
}

function memberOf(scope: JsonObject, world: World): number {
  const id = requiredInteger(scope, 'user_id', refuseScope)
  if (id <= 0) throw refuseScope('Invalid user_id specified')
  if (!world.people.has(id)) throw badRequest('user not found')
  return id
}
