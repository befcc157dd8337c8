import type { z } from 'zod'

/** How many flaws of one value are told. */
const MOST_FLAWS = 10

/** Which parts of a value of several parts are wrong, in brackets; nothing for a value of one. Never tells a value. */
export function flawsIn({ issues }: z.ZodError): string {
  const told = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `unknown: ${nameOf([...issue.path, key])}`)
    // A message of our own schemas says what is wrong; zod's may hold the value.
    const what = issue.code === 'custom' ? issue.message : 'wrong'
    return issue.path.length === 0 ? [] : [`${what}: ${nameOf(issue.path)}`]
  })
  return told.length === 0 ? '' : ` (${told.slice(0, MOST_FLAWS).join(', ')})`
}

/** Told are names as somebody mistypes one; anything else may be what does not belong into an output. */
const nameOf = (path: readonly PropertyKey[]) =>
  path.map((key) => (/^\w{1,40}$/.test(String(key)) ? String(key) : '…')).join('.')
