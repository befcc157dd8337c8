import { Composer, InputFile, type Context } from 'grammy'
import { InputError } from '../errors.ts'
import { adminsOnly, type IsAdmin } from './admin.ts'
import type { Background } from './background.ts'

/** The stored orders as a file in memory. */
export interface ExportedFile {
  readonly name: string
  readonly content: Uint8Array
  readonly orders: number
  /** Keys that hold no text, so that no line can tell them. */
  readonly leftOut: number
}

export interface ExportDeps {
  readonly isAdmin: IsAdmin
  readonly background: Background
  /** Throws InputError when the file is too large for Telegram. */
  readonly exportFile: (signal: AbortSignal) => Promise<ExportedFile>
}

/** `/export`: the stored orders as a JSON lines file, for admins and in the private chat only. */
export function exportCommand({ isAdmin, background, exportFile }: ExportDeps): Composer<Context> {
  const composer = new Composer()
  composer.command('export', adminsOnly(isAdmin), async (context) => {
    if (context.chat.type !== 'private') {
      await context.reply("The file holds customers' data. Ask me in our private chat.")
      return
    }
    background.run(async (signal) => {
      try {
        await context.replyWithChatAction('upload_document')
        const { name, content, orders, leftOut } = await exportFile(signal)
        if (orders === 0) {
          await context.reply('There are no orders to export.')
          return
        }
        await context.replyWithDocument(new InputFile(content, name), {
          caption: `${orders} orders. ${leftOut > 0 ? `${leftOut} keys hold no text and are not in it. ` : ''}Keep this file safe.`,
        })
      } catch (error) {
        const why = error instanceof InputError ? error.message : 'The store or Telegram did not answer.'
        await context.reply(`The export failed: ${why} \`orderly orders export <file>\` on a computer works, too.`)
        throw error
      }
    })
  })
  return composer
}
