import type { Clock } from '../clock.ts'
import type { TelegramConfig } from '../config.ts'
import { fail, ok, off, warn, type Finding } from './doctor-check.ts'
import { fieldsOf } from './doctor-fields.ts'
import { unjudged, type CallBot } from './doctor-telegram.ts'
import { counted } from './text.ts'

/** Of what Telegram may send; nobody sets it but the service, at boot. */
const NEEDED_UPDATES = ['message', 'callback_query']

const RECENT_MS = 60 * 60_000
const MANY_PENDING = 100

/** Whether updates reach this service, as Telegram sees it. */
export async function checkWebhook(
  call: CallBot,
  { publicUrl, isPreview }: TelegramConfig,
  { clock }: { readonly clock: Clock },
): Promise<Finding> {
  if (isPreview) return off('a preview of a pull request leaves the webhook alone')
  const answer = await call('getWebhookInfo')
  if (answer.kind !== 'result') return unjudged(answer)
  const told = fieldsOf(answer.result)
  const [url, allowed] = [told['url'], told['allowed_updates']]
  if (publicUrl === undefined) return url === '' ? ok('none is set, for this service polls') : UNWANTED
  if (url === '') return fail('Telegram has no webhook', 'Start the service: it sets the webhook at boot.')
  if (url !== `${publicUrl}/telegram/webhook`) return ELSEWHERE
  if (Array.isArray(allowed) && !NEEDED_UPDATES.every((kind) => allowed.includes(kind))) {
    return fail('Telegram does not send all that the bot needs', 'Restart the service: it sets the webhook at boot.')
  }
  return deliveryOf({ told, nowMs: clock() })
}

const UNWANTED = warn(
  'one is set, though without PUBLIC_URL this service polls',
  'Set PUBLIC_URL if Telegram shall reach this service; else restart it, which removes the webhook.',
)
const ELSEWHERE = fail(
  'Telegram sends to another address than PUBLIC_URL/telegram/webhook',
  'Set PUBLIC_URL to the address of this service and restart it; stop any other service that has the same token.',
)

interface Told {
  readonly told: Readonly<Record<string, unknown>>
  readonly nowMs: number
}

function deliveryOf({ told, nowMs }: Told): Finding {
  const pending = wholeOf(told['pending_update_count']) ?? 0
  const failedAtMs = 1_000 * (wholeOf(told['last_error_date']) ?? NaN)
  const waiting = pending === 0 ? 'nothing is waiting' : `${counted(pending, 'update')} waiting`
  if (Number.isNaN(failedAtMs)) {
    return pending > MANY_PENDING ? warn(`ours, ${waiting}`, SLOW) : ok(`ours, ${waiting}`)
  }
  const ageMs = Math.max(nowMs - failedAtMs, 0)
  const trouble = `the latest failure ${ageText(ageMs)} ago: ${wordsOf(told['last_error_message'])}`
  if (ageMs > RECENT_MS) return ok(`ours, ${waiting}; ${trouble}`)
  const fix = 'See whether the public address answers (below), and look into the log of the service for that time.'
  return pending > 0 ? fail(`ours, but ${waiting}; ${trouble}`, fix) : warn(`ours, ${waiting}; ${trouble}`, fix)
}

const SLOW = 'Look into the log of the service: it answers too slowly, or not at all.'

const ageText = (ms: number) => {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return counted(minutes, 'minute')
  return minutes < 2 * 24 * 60 ? counted(Math.round(minutes / 60), 'hour') : counted(Math.round(minutes / 1_440), 'day')
}

/** Telegram's text repeats what our server, or whoever stands before it, said: only what it is known to begin with is told. */
function wordsOf(text: unknown): string {
  const said = typeof text === 'string' ? text : ''
  const [, status] = /^Wrong response from the webhook: (\d{3})\b/.exec(said) ?? []
  if (status !== undefined) return `the service answered with status ${status}`
  return knownFailures.find(([pattern]) => pattern.test(said))?.[1] ?? 'of a kind that is not known here'
}

const knownFailures: readonly (readonly [RegExp, string])[] = [
  [/^(Connection|Read) time/i, 'no answer in time'],
  [/^Connection (refused|reset|closed)/i, 'the connection was refused or broken'],
  [/SSL|certificate/i, 'the certificate of the public address was not accepted'],
  [/resolve host|host not found|name or service/i, 'the name of the public address is unknown'],
  [/too many redirects|redirect/i, 'the public address redirects'],
]

const wholeOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
