import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { instant } from '../support/clock.ts'
import { oddOrders } from '../support/orders.ts'

const run = promisify(execFile)
const script = join(import.meta.dirname, '../support/judge-odd-orders.ts')

async function judgedIn(zone: string) {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', script], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, TZ: zone },
  })
  const { offset, ...judged }: { offset: number; verdicts: [string, string, string][]; naive: number } =
    JSON.parse(stdout)
  return { offset, judged }
}

it('the zone of the process changes no verdict on any order', async () => {
  const runs = await Promise.all(['UTC', 'America/New_York', 'Asia/Kolkata'].map(judgedIn))

  expect(runs.map(({ offset }) => offset)).toEqual([0, 240, -330])
  const [first, ...others] = runs.map(({ judged }) => judged)
  for (const other of others) expect(other).toEqual(first)
  expect(first?.naive).toBe(instant('2026-03-28T00:30:00+01:00'))
  expect(first?.verdicts.map(([key, verdict]) => [key, verdict === 'due' ? 'deleted' : verdict])).toEqual(
    oddOrders
      .filter(({ type, verdict }) => type === 'string' && verdict !== 'untouched')
      .map(({ key, verdict }) => [key, verdict]),
  )
})
