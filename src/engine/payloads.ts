import { z } from 'zod'
import { InputError } from '../errors.ts'
import { sweepNames } from '../sweeps/registry.ts'

/** Names of the events, as the functions before these had them. */
export const eventNames = {
  alerts: 'alerts/cleanup.resolved.alerts',
  errors: 'errors/cleanup.old.errors',
  requested: 'sweep/requested',
} as const

const retentionDays = z.int('must be a whole number from 1 to 365').min(1).max(365)

/** `day` tells the runs of two days apart, for the engine takes each organization once a day. */
const day = z.iso.date().optional()

const schemas = {
  alerts: z.object({
    organization_id: z.string().min(1).max(200),
    retention_days: retentionDays.optional(),
    // That the days are the organization's own, as they were when the event was sent.
    stored: z.boolean().optional(),
    day,
  }),
  errors: z.object({ retention_days: retentionDays.optional(), day }),
  requested: z
    .object({
      name: z.enum(sweepNames),
      days: z.int().min(0).max(365).optional(),
      dry_run: z.boolean(),
      queue: z.string().min(1).max(200).optional(),
    })
    .refine(({ name, queue }) => queue === undefined || name === 'bullmq', { path: ['queue'] }),
}

type Schemas = typeof schemas

/**
 * What an event asks for. Numbers must be numbers, and what nobody knows is ignored.
 *
 * @throws InputError naming the event and each field that breaks a rule, never a value.
 */
export function decodePayload<Kind extends keyof Schemas>(kind: Kind, payload: unknown): z.output<Schemas[Kind]> {
  const decoded = schemas[kind].safeParse(payload)
  if (decoded.success) return decoded.data as z.output<Schemas[Kind]>
  const fields = [...new Set(decoded.error.issues.map(({ path }) => path.join('.') || 'data'))]
  const rules = fields.map((field) => `${field} must be ${ruleOf(field)}`).join('; ')
  throw new InputError(`The event ${eventNames[kind]} breaks a rule: ${rules}.`)
}

const RULES: Readonly<Record<string, string>> = {
  organization_id: 'a text of 1 to 200 characters',
  retention_days: 'a whole number from 1 to 365',
  stored: 'true or false',
  day: 'a date, YYYY-MM-DD',
  name: `one of ${sweepNames.join(', ')}`,
  days: 'a whole number from 0 to 365',
  dry_run: 'true or false',
  queue: 'the name of a queue, with the sweep bullmq only',
}

const ruleOf = (field: string) => RULES[field] ?? 'an object'
