import { askJson } from '../redis/budget/ask-json.ts'
import { fail, ok, off, type Finding } from './doctor-check.ts'
import { fieldsOf } from './doctor-fields.ts'

const DEADLINE_MS = 8_000

/** Whether whoever asks for the public address gets an answer of Orderly. */
export async function checkPublicAddress(publicUrl: string | undefined, signal: AbortSignal): Promise<Finding> {
  if (publicUrl === undefined) return off('PUBLIC_URL is not set, so the service polls')
  const answer = await askJson(`${publicUrl}/healthz`, { deadlineMs: DEADLINE_MS, signal })
  if (!answer.isAnswered) return fail(`it does not answer: ${answer.why}`, WAKE)
  if (answer.status === 200 && fieldsOf(answer.body)['status'] === 'ok') return ok('it answers')
  const isOther = answer.status === 200 ? 'something else than Orderly' : `status ${answer.status}`
  return fail(`it answers with ${isOther}`, 'Set PUBLIC_URL to the address at which the host serves Orderly.')
}

const WAKE =
  'Start the service, and check PUBLIC_URL. A host that sleeps needs up to a minute to wake: run orderly doctor again.'
