import { createHash } from 'node:crypto'
import type { ReadValue } from './config-variables.ts'
import type { TelegramConfig } from './config.ts'

/** Reads how the bot is reached; undefined without a token. What is wrong with the variables together is noted. */
export function readTelegram(value: ReadValue, problems: string[]): TelegramConfig | undefined {
  const botToken = value('TELEGRAM_BOT_TOKEN')
  const apiRoot = value('TELEGRAM_API_ROOT')
  const [ownUrl, hostsUrl] = [value('PUBLIC_URL'), value('RENDER_EXTERNAL_URL')]
  const publicUrl = ownUrl ?? hostsUrl
  const secret = value('WEBHOOK_SECRET')
  const isPreview = value('IS_PULL_REQUEST') ?? false
  if (publicUrl?.startsWith('http:') === true && apiRoot === undefined) {
    problems.push('PUBLIC_URL must be an https:// address (http:// only where TELEGRAM_API_ROOT is set).')
  }
  if (botToken === undefined) return undefined
  return {
    token: botToken,
    apiRoot,
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    // Derived, because a host's generated value may hold characters that Telegram refuses.
    webhookSecret: secret ?? createHash('sha256').update(`orderly webhook ${botToken}`).digest('hex'),
    isPreview,
  }
}
