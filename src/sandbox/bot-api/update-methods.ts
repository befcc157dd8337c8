import type { Arguments } from './arguments.ts'
import type { Delivery, Webhook } from './delivery.ts'
import { badRequest, conflict } from './failures.ts'
import type { Methods } from './methods.ts'

/** Hosts that may have a webhook without https, on any port. */
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

const PORTS = new Set(['', '80', '88', '443', '8443'])

/** The longest poll in seconds. */
const LONGEST_POLL = 50

const WEBHOOK_IS_ACTIVE =
  "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"

/** How the bot gets its updates. */
export function createUpdateMethods(delivery: Delivery): Methods {
  const remove = (call: Arguments) => {
    if (call.flag('drop_pending_updates')) delivery.dropPending()
    const description = delivery.webhook === undefined ? 'Webhook is already deleted' : 'Webhook was deleted'
    delivery.setWebhook(undefined)
    return { result: true, description }
  }

  return {
    setWebhook: (call) => {
      if (call.text('url') === '') return remove(call)
      const webhook = parseWebhook(call)
      allow(call, delivery)
      const isDropping = call.flag('drop_pending_updates')
      if (isDropping) delivery.dropPending()
      if (!isDropping && isSame(webhook, delivery.webhook))
        return { result: true, description: 'Webhook is already set' }
      delivery.setWebhook(webhook)
      return { result: true, description: 'Webhook was set' }
    },
    deleteWebhook: remove,
    getWebhookInfo: () => ({ result: webhookInfo(delivery) }),
    getUpdates: async (call, signal) => {
      if (delivery.webhook !== undefined) throw conflict(WEBHOOK_IS_ACTIVE)
      allow(call, delivery)
      const timeoutMs = 1000 * call.integer('timeout', { min: 0, max: LONGEST_POLL })
      const limit = call.integer('limit', { fallback: 100, min: 1, max: 100 })
      return { result: await delivery.poll({ offset: call.integer('offset'), limit, timeoutMs, signal }) }
    },
  }
}

function parseWebhook(call: Arguments): Webhook {
  const url = parseUrl(call.text('url'))
  const secretToken = call.text('secret_token')
  if (secretToken.length > 256) throw badRequest('secret token is too long')
  if (!/^[\w-]*$/.test(secretToken)) throw badRequest('secret token contains unallowed characters')
  return { url, secretToken, maxConnections: call.integer('max_connections', { fallback: 40, min: 1, max: 100 }) }
}

function parseUrl(text: string): string {
  const withProtocol = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`
  if (!URL.canParse(withProtocol)) throw badRequest('invalid webhook URL specified')
  const { protocol, hostname, port, href } = new URL(withProtocol)
  if (protocol !== 'https:' && protocol !== 'http:') throw badRequest('invalid webhook URL specified')
  if (LOOPBACK.has(hostname)) return href
  if (protocol !== 'https:') throw badRequest('bad webhook: An HTTPS URL must be provided for webhook')
  if (!PORTS.has(port)) throw badRequest('bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443')
  return href
}

/** Keeps what was allowed before when nothing is said; an empty list is the default again. */
function allow(call: Arguments, delivery: Delivery): void {
  const kinds = call.json('allowed_updates', 'allowed_updates')
  if (kinds === undefined) return
  const isList = Array.isArray(kinds) && kinds.every((kind): kind is string => typeof kind === 'string')
  if (!isList) throw badRequest('Expected an Array of String as allowed updates')
  delivery.allow(kinds.length === 0 ? undefined : kinds)
}

const isSame = (one: Webhook, other: Webhook | undefined) =>
  one.url === other?.url && one.secretToken === other.secretToken && one.maxConnections === other.maxConnections

function webhookInfo({ webhook, allowed, lastFailure, pendingCount }: Delivery): object {
  return {
    url: webhook?.url ?? '',
    has_custom_certificate: false,
    pending_update_count: pendingCount(),
    ...(webhook !== undefined && { max_connections: webhook.maxConnections, ip_address: '127.0.0.1' }),
    ...(lastFailure !== undefined && {
      last_error_date: Math.floor(lastFailure.atMs / 1000),
      last_error_message: lastFailure.failure,
    }),
    ...(allowed !== undefined && { allowed_updates: allowed }),
  }
}
