import { z } from 'zod'
import { InputError } from '../errors.ts'
import { decodeInstant } from './instant.ts'
import type { OrderSource } from './order.ts'

/** How far a source's clock may be ahead of ours. */
const CREATED_AHEAD_MS = 24 * 3_600_000

/** How far ahead an order may be wanted for, in days. */
const WANTED_AHEAD_DAYS = 60

const text = (most: number) => z.string().trim().min(1).max(most)
const instant = z.string().max(40)
const money = z.object({
  amount: z.string().regex(/^\d{1,9}(\.\d{1,3})?$/, 'must be a decimal number in quotes, such as "23.90"'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be a three-letter currency code, such as EUR'),
})

/** An order as a source hands it in. Fields that Orderly does not know are kept. */
const intakeSchema = z.looseObject({
  source: text(32),
  source_id: text(128),
  created_at: instant,
  wanted_at: instant.nullish(),
  customer: z.looseObject({
    name: text(256),
    phone: text(64).nullish(),
    address: text(512).nullish(),
  }),
  items: z
    .array(
      z.looseObject({
        vendor: text(64),
        quantity: z.int().min(1).max(999),
        name: text(256),
        note: text(1_000).nullish(),
      }),
    )
    .min(1)
    .max(200),
  total: money,
  tip: money.nullish(),
  payment: text(32).nullish(),
  note: text(2_000).nullish(),
  pickup: z.boolean().optional(),
})

/** An order that passed every rule of intake, with its times read. */
export interface Intake {
  readonly order: z.output<typeof intakeSchema>
  readonly source: OrderSource
  /** The later of its creation and the time it is wanted for, in epoch milliseconds. */
  readonly orderTimeMs: number
}

export interface IntakeRules {
  readonly nowMs: number
  /** The zone of times without an offset. */
  readonly zone: string
  /** The first instant that retention keeps. An order before it was or would be swept, so it is not taken in again. */
  readonly cutoffMs: number
}

/**
 * Reads an order from outside.
 *
 * @throws InputError naming every field that breaks a rule, and the rule; never a value.
 */
export function readIntake(payload: unknown, rules: IntakeRules): Intake {
  const result = intakeSchema.safeParse(payload)
  if (!result.success) throw new InputError(result.error.issues.map(describeIssue).join(' '))

  const order = result.data
  const createdAtMs = readTime('created_at', order.created_at, rules)
  const wantedAtMs = order.wanted_at == null ? createdAtMs : readTime('wanted_at', order.wanted_at, rules)
  if (createdAtMs > rules.nowMs + CREATED_AHEAD_MS) {
    throw new InputError('created_at must not be more than a day ahead.')
  }
  if (wantedAtMs > rules.nowMs + WANTED_AHEAD_DAYS * 24 * 3_600_000) {
    throw new InputError(`wanted_at must not be more than ${WANTED_AHEAD_DAYS} days ahead.`)
  }
  const orderTimeMs = Math.max(createdAtMs, wantedAtMs)
  if (orderTimeMs < rules.cutoffMs) {
    throw new InputError(
      'created_at is older than RETENTION_DAYS keeps: an order that was swept is not taken in again.',
    )
  }
  return { order, source: { source: order.source, sourceId: order.source_id, createdAtMs }, orderTimeMs }
}

function readTime(field: string, value: string, { zone }: IntakeRules): number {
  const ms = decodeInstant(value, zone)
  if (ms === undefined) throw new InputError(`${field} must be a date with a time, such as 2025-12-08T18:02:11+01:00.`)
  return ms
}

/** A problem as field and rule. Zod's own texts for wrong types and sizes name no values. */
const describeIssue = ({ path, message }: z.core.$ZodIssue): string => {
  const field = path.length === 0 ? 'The order' : path.join('.')
  return `${field}: ${message.replace(/\.?$/, '.')}`
}
