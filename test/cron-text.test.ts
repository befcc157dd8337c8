import { Cron } from 'croner'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCronText } from '../src/cron-text.ts'

describe('a cron text', () => {
  it.each([
    ['0 2 * * *', { pattern: '0 2 * * *', zone: undefined }],
    ['  0   2\t* * * ', { pattern: '0 2 * * *', zone: undefined }],
    ['TZ=Europe/Lisbon 0 5 * * *', { pattern: '0 5 * * *', zone: 'Europe/Lisbon' }],
    ['TZ=UTC   17 * * * *', { pattern: '17 * * * *', zone: 'UTC' }],
    ['TZ=America/Argentina/Buenos_Aires 0 0 1 1 *', { pattern: '0 0 1 1 *', zone: 'America/Argentina/Buenos_Aires' }],
  ])('%j says its five fields and its zone', (text, said) => {
    expect(decodeCronText(text)).toEqual(said)
  })

  it.each([
    '* * * * *',
    '59 23 31 12 7',
    '0,30 8-18 * * 1-5',
    '*/15 */2 1-31/2 */3 0-6/2',
    '*/60 */24 */31 */12 */7',
    '0 0 * JAN,feb,Mar-DEC Mon-Fri',
    '0 0 29 2 *',
    '0 0 31 2,3 *',
    '0 0 30 2 1',
    '0 0 * * 5-7',
    '00 02 01 01 *',
  ])('may say %j', (text) => {
    expect(decodeCronText(text)?.pattern).toBe(text)
  })

  it.each([
    ['nothing', ['', ' ', 'TZ=Europe/Berlin', 'TZ=Europe/Berlin ']],
    ['too few or too many fields', ['* * * *', '0 0 2 * * *', '0 2 * * * *']],
    ['numbers out of range', ['60 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 0 *', '* * * 13 *']],
    ['a weekday out of range, or three digits', ['* * * * 8', '000 * * * *', '0 100 * * *']],
    ['ranges that run backwards', ['30-10 * * * *', '0 22-6 * * *', '0 0 * * FRI-MON', '0 0 * dec-jan *']],
    [
      'steps that are none',
      ['*/0 * * * *', '*/61 * * * *', '* */25 * * *', '* * * * */8', '*/ * * * *', '*/x * * * *'],
    ],
    ['a step after a number', ['5/15 * * * *', '0 MON/2 * * *']],
    ['gaps in lists', [', * * * *', '1,,2 * * * *', '1, * * * *', '1 , 2 * * *']],
    ['open ranges', ['-5 * * * *', '5- * * * *', '1-2-3 * * * *', '*-5 * * * *']],
    [
      'names in a wrong place',
      ['JAN * * * *', '* * * MON *', '* * * * JAN', '* * MON * *', '* * * anf *', '* * * january *'],
    ],
    ['what only some programs know', ['@daily', '0 0 L * *', '0 0 * * 1#2', '0 0 15W * *', '0 0 ? * 1', 'H 2 * * *']],
    ['a sign, a fraction or another script', ['+1 * * * *', '1.5 * * * *', '٣ * * * *', '1e1 * * * *']],
    ['a date that no year has', ['0 0 30 2 *', '0 0 31 4,6,9,11 *', '0 0 30-31 FEB *', '0 0 31 2/2 *']],
    [
      'a zone that is none',
      ['TZ=Europe/Passau 0 2 * * *', 'TZ= 0 2 * * *', 'TZ=local 0 2 * * *', 'CRON_TZ=UTC 0 2 * * *'],
    ],
    ['a zone in a wrong place', ['0 2 * * * TZ=UTC', 'tz=UTC 0 2 * * *', 'TZ=UTC TZ=UTC 0 2 * * *']],
    ['more than a person writes', [`0 2 * * ${'1,'.repeat(100)}1`, '0 2 * * *\n0 3 * * *']],
  ])('is refused with %s', (_, texts) => {
    for (const text of texts) expect([text, decodeCronText(text)]).toEqual([text, undefined])
  })

  it('that is taken always rings the alarm clock some day', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const said = decodeCronText(text)
        if (said === undefined) return

        const cron = new Cron(said.pattern, { timezone: 'UTC', paused: true })
        expect([text, cron.nextRun(new Date(0))]).not.toEqual([text, null])
      }),
      { numRuns: 2_000 },
    )
  })

  it('of any valid fields is taken', () => {
    const valid = fc.tuple(...fieldsOf(false)).map((fields) => fields.join(' '))
    fc.assert(
      // The first days of a month are in each of them.
      fc.property(valid, (text) => {
        expect([text, decodeCronText(text)?.pattern]).toEqual([text, text])
      }),
      { numRuns: 500 },
    )
  })
})

/** Parts of the five fields as they may be; with mistakes also as they may not, and days that only some months have. */
function fieldsOf(hasMistakes: boolean) {
  const lasts = [59, 23, hasMistakes ? 31 : 28, 12, 7]
  return lasts.map((last, at) => {
    const value = fc.integer({ min: at === 2 || at === 3 ? 1 : 0, max: hasMistakes ? last + 1 : last }).map(String)
    const range = fc
      .tuple(value, value)
      .map(([a, b]) => (hasMistakes || Number(a) <= Number(b) ? `${a}-${b}` : `${b}-${a}`))
    const step = fc.integer({ min: hasMistakes ? 0 : 1, max: 7 })
    const stepped = fc.tuple(fc.oneof(fc.constant('*'), range), step).map(([what, every]) => `${what}/${every}`)
    const part = fc.oneof(fc.constant('*'), value, range, stepped)
    return fc.oneof(
      part,
      fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(',')),
    )
  })
}

const anyText = fc.oneof(
  fc.tuple(...fieldsOf(true)).map((fields) => fields.join(' ')),
  fc.tuple(...fieldsOf(true)).map(([, , day, month]) => `0 0 ${day} ${month} *`),
  fc.stringMatching(/^[0-9*/,\- A-Z]{1,40}$/),
)
