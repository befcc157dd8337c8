import { Composer, type Api, type Context } from 'grammy'
import { otherSweepNames, type OtherSweepName, type Sweeps } from '../sweeps/registry.ts'
import type { IsAdmin } from './admin.ts'
import { isRefusal } from './calls.ts'
import { sweepWords } from './sweep-words.ts'

interface BotCommand {
  readonly command: string
  readonly description: string
}

/** What everybody can ask. */
const PUBLIC_COMMANDS: readonly BotCommand[] = [
  { command: 'start', description: 'what this bot is' },
  { command: 'help', description: 'what you can ask it' },
]

/** What admins can ask besides. */
const ADMIN_COMMANDS: readonly BotCommand[] = [
  { command: 'orders', description: 'the open orders' },
  { command: 'cleanup', description: '[days] [preview]: delete old orders' },
  { command: 'status', description: 'how the service is' },
  { command: 'usage', description: "the month's Redis commands: used, forecast, limit" },
  { command: 'redis', description: 'how each Redis is, and what to do about it' },
  { command: 'export', description: 'all stored orders as a file (private chat)' },
]

export interface StartDeps {
  readonly isAdmin: IsAdmin
  /** What there is to clean up. */
  readonly sweeps: Sweeps
}

const ADMIN_NOTE =
  'A bare /cleanup keeps today and the day before; the schedule and the command line keep RETENTION_DAYS.'
const sweepNote = (name: OtherSweepName) => `/cleanup ${name} [days] [preview] ${sweepWords[name].help}`

/** `/start` and `/help`. */
export function startCommand({ isAdmin, sweeps }: StartDeps): Composer<Context> {
  const composer = new Composer()
  const sweepNotes = otherSweepNames.filter((name) => sweeps[name] !== undefined).map(sweepNote)
  composer.command('start', (context) =>
    context.reply(
      `Orderly dispatches orders and keeps its store small. Your id is ${context.from?.id ?? 'unknown'}. /help tells more.`,
    ),
  )
  composer.command('help', (context) => {
    const isForAdmin = isAdmin(context.from?.id)
    const commands = isForAdmin ? [...PUBLIC_COMMANDS, ...ADMIN_COMMANDS] : PUBLIC_COMMANDS
    const lines = commands.map(({ command, description }) => `/${command} ${description}`)
    const notes = isForAdmin ? ['', ADMIN_NOTE, ...sweepNotes] : []
    return context.reply([...lines, ...notes].join('\n'))
  })
  return composer
}

/** Whatever else somebody writes to the bot alone. In groups it stays silent: what is said there is seldom meant for it. */
export function unknownText(): Composer<Context> {
  const composer = new Composer()
  composer
    .chatType('private')
    .on('message:text', (context) => context.reply('I do not know that. /help lists what you can ask me.'))
  return composer
}

/** Tells Telegram the commands, the admins' ones only in their own chats. An admin who never pressed Start is skipped. */
export async function publishCommands(
  api: Api,
  adminIds: readonly number[],
  onError: (error: unknown) => void,
): Promise<void> {
  await api.setMyCommands(PUBLIC_COMMANDS)
  for (const id of adminIds) {
    const scope = { type: 'chat' as const, chat_id: id }
    await api.setMyCommands([...PUBLIC_COMMANDS, ...ADMIN_COMMANDS], { scope }).catch((error: unknown) => {
      if (!isRefusal(error)) throw error
      onError(error)
    })
  }
}
