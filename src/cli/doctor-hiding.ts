import type { Io } from './io.ts'

/** Takes secrets out of a text. */
export type Hide = (text: string) => string

/** Shorter ones stand in many words by chance. */
const LEAST_LENGTH = 6

/**
 * Takes every secret of an environment out of texts: a server may say in its refusal what it was sent, and the first words of a
 * refusal are told. A secret that is shorter than 6 characters stays.
 */
export function createHide(env: Io['env']): Hide {
  const secrets = Object.entries(env).flatMap(([name, value = '']) => secretsIn(name, value.trim()))
  const found = [...new Set(secrets)].filter((secret) => secret.length >= LEAST_LENGTH)
  // The longest first, for one may be a part of another.
  const ordered = found.toSorted((a, b) => b.length - a.length)
  return (text) => ordered.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
}

function secretsIn(name: string, value: string): readonly string[] {
  // Of a bot's token the part before the colon is the bot's id, which everybody may know.
  if (name === 'TELEGRAM_BOT_TOKEN') return [value, value.slice(value.indexOf(':') + 1)]
  if (/(TOKEN|SECRET|KEY|PASSWORD)$/.test(name)) return [value]
  if (!name.endsWith('_URL') || !URL.canParse(value)) return []
  const { password } = new URL(value)
  return [value, password, decoded(password)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
