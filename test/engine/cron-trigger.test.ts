import { Cron } from 'croner'
import { describe, expect, it } from 'vitest'
import { cronTrigger } from '../../src/engine/cron-trigger.ts'

const zone = 'Europe/Lisbon'

describe('the trigger of a schedule', () => {
  it.each([
    ['0 5 * * *', '0 5 * * *'],
    ['0 5 * * 7', '0 5 * * 0'],
    ['0 5 * * 5-7', '0 5 * * 5,6,0'],
    ['0 5 * * 0-7/2', '0 5 * * 0,2,4,6'],
    ['0 5 * * 1,7', '0 5 * * 1,0'],
    ['0 5 * * MON-FRI', '0 5 * * MON-FRI'],
    ['0 7 7 7 *', '0 7 7 7 *'],
    ['0 5 * * */7', '0 5 * * */7'],
  ])('%s is written without a 7th day, and with its zone', (pattern, expected) => {
    expect(cronTrigger({ pattern, zone })).toEqual({ cron: `TZ=${zone} ${expected}` })
  })

  it.each(['7', '5-7', '0-7/2', '1,7', '3-7/3'])('means the same days as %s did', (days) => {
    const pattern = `0 5 * * ${days}`
    const { cron } = cronTrigger({ pattern, zone })

    const runs = (text: string) => new Cron(text, { timezone: zone, paused: true }).nextRuns(40, '2026-01-01T00:00:00')
    expect(runs(cron.slice(`TZ=${zone} `.length))).toEqual(runs(pattern))
  })
})
