import { describe, expect, it } from 'vitest'
import { anIntake } from '../support/orders.ts'
import { intakeToken, type Post, postOrder, postUpdate, SECRET, startRig, telegramSecret } from './rig.ts'

/** What is wrong, the request, and the status and code of its answer. */
type BadRequest = readonly [what: string, request: Post, status: number, code: string]

const secretHeader = (value: string): Post => ({ headers: { 'x-telegram-bot-api-secret-token': value } })
const bearer = (authorization: string): Post => ({ headers: { authorization } })
const typed = (type: string): Post => ({ headers: { 'content-type': type }, body: `{"update_id":1,"a":"${SECRET}"}` })
const body = (text: string): Post => ({ body: text })
const without = (...names: readonly string[]) =>
  JSON.stringify(Object.fromEntries(Object.entries(anIntake()).filter(([name]) => !names.includes(name))))
const order = (fields: Parameters<typeof anIntake>[0]): Post => body(JSON.stringify(anIntake(fields)))
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

/** Broken on the way, whatever route it was meant for. */
const brokenBodies: readonly BadRequest[] = [
  ['no body', body(''), 400, 'BAD_JSON'],
  ['white space', body('  \n'), 400, 'BAD_JSON'],
  ['half an object', body(`{"update_id":1,"text":"${SECRET}"`), 400, 'BAD_JSON'],
  ['a comma too many', body(`{"update_id":1,"text":"${SECRET}",}`), 400, 'BAD_JSON'],
  ['single quotes', body(`{'update_id':1,'text':'${SECRET}'}`), 400, 'BAD_JSON'],
  ['two texts', body('{"update_id":1}{"update_id":2}'), 400, 'BAD_JSON'],
  ['NaN', body('{"update_id":NaN}'), 400, 'BAD_JSON'],
  ['a bare word', body(SECRET), 400, 'BAD_JSON'],
  ['a form', body(`update_id=1&text=${SECRET}`), 400, 'BAD_JSON'],
  ['a prototype', body(`{"update_id":1,"__proto__":{"a":"${SECRET}"}}`), 400, 'BAD_JSON'],
  ['a constructor’s prototype', body('{"update_id":1,"constructor":{"prototype":{"a":1}}}'), 400, 'BAD_JSON'],
  ['a NUL byte', body('{"update_id":1}\u0000'), 400, 'BAD_JSON'],
  ['a raw line break in a text', body('{"update_id":1,"a":"\n"}'), 400, 'BAD_JSON'],
  ['brackets without end', body('['.repeat(100_000)), 400, 'BAD_JSON'],
  ['text/plain', typed('text/plain'), 415, 'NOT_JSON'],
  ['a form type', typed('application/x-www-form-urlencoded'), 415, 'NOT_JSON'],
  ['multipart', typed('multipart/form-data; boundary=x'), 415, 'NOT_JSON'],
  ['XML', typed('application/xml'), 415, 'NOT_JSON'],
  ['almost JSON', typed('application/jsonx'), 415, 'NOT_JSON'],
  ['a type that is none', typed(SECRET), 415, 'NOT_JSON'],
  ['an empty type', typed(''), 415, 'NOT_JSON'],
  ['a length that is too long', { headers: { 'content-length': '99' }, body: '{"update_id":1}' }, 400, 'BAD_REQUEST'],
]

const badUpdates: readonly BadRequest[] = [
  ['an empty secret', secretHeader(''), 401, 'UNAUTHORIZED'],
  ['a wrong secret', secretHeader('wrong'), 401, 'UNAUTHORIZED'],
  ['half the secret', secretHeader(telegramSecret.slice(0, -1)), 401, 'UNAUTHORIZED'],
  ['the secret and more', secretHeader(`${telegramSecret}x`), 401, 'UNAUTHORIZED'],
  ['the secret twice', secretHeader(`${telegramSecret}, ${telegramSecret}`), 401, 'UNAUTHORIZED'],
  ['the secret in capitals', secretHeader(telegramSecret.toUpperCase()), 401, 'UNAUTHORIZED'],
  ['the other route’s secret', secretHeader(intakeToken), 401, 'UNAUTHORIZED'],
  ['a very long secret', secretHeader('x'.repeat(10_000)), 401, 'UNAUTHORIZED'],
  ['a secret with an umlaut', secretHeader('gehe\u00efm'), 401, 'UNAUTHORIZED'],
  ['a wrong secret and a broken body', { ...secretHeader('wrong'), body: '{' }, 401, 'UNAUTHORIZED'],
  ['null', body('null'), 400, 'BAD_UPDATE'],
  ['a number', body('1'), 400, 'BAD_UPDATE'],
  ['a text', body(`"${SECRET}"`), 400, 'BAD_UPDATE'],
  ['a list', body('[{"update_id":1}]'), 400, 'BAD_UPDATE'],
  ['an empty object', body('{}'), 400, 'BAD_UPDATE'],
  ['no id', body(`{"message":{"text":"${SECRET}"}}`), 400, 'BAD_UPDATE'],
  ['an id as text', body('{"update_id":"1"}'), 400, 'BAD_UPDATE'],
  ['a null id', body('{"update_id":null}'), 400, 'BAD_UPDATE'],
  ['a negative id', body('{"update_id":-1}'), 400, 'BAD_UPDATE'],
  ['half an id', body('{"update_id":1.5}'), 400, 'BAD_UPDATE'],
  ['an id beyond every integer', body('{"update_id":1e300}'), 400, 'BAD_UPDATE'],
  ['an id that is an object', body('{"update_id":{"valueOf":1}}'), 400, 'BAD_UPDATE'],
  ['brackets in brackets', body(nested(100_000)), 400, 'BAD_UPDATE'],
  ['more than 1 MB', body(`{"update_id":1,"text":"${'x'.repeat(1_048_576)}"}`), 413, 'TOO_LARGE'],
]

const badOrders: readonly BadRequest[] = [
  ['an empty authorization', bearer(''), 401, 'UNAUTHORIZED'],
  ['no scheme', bearer(intakeToken), 401, 'UNAUTHORIZED'],
  ['no token', bearer('Bearer '), 401, 'UNAUTHORIZED'],
  ['another scheme', bearer(`Basic ${Buffer.from(`a:${intakeToken}`).toString('base64')}`), 401, 'UNAUTHORIZED'],
  ['a wrong token', bearer('Bearer wrong'), 401, 'UNAUTHORIZED'],
  ['half a token', bearer(`Bearer ${intakeToken.slice(0, -1)}`), 401, 'UNAUTHORIZED'],
  ['two tokens', bearer(`Bearer ${intakeToken} ${intakeToken}`), 401, 'UNAUTHORIZED'],
  ['the other route’s secret', bearer(`Bearer ${telegramSecret}`), 401, 'UNAUTHORIZED'],
  ['a wrong token and a broken body', { ...bearer('Bearer wrong'), body: '{' }, 401, 'UNAUTHORIZED'],
  ['null', body('null'), 422, 'BAD_INPUT'],
  ['a text', body(`"${SECRET}"`), 422, 'BAD_INPUT'],
  ['a list', body('[]'), 422, 'BAD_INPUT'],
  ['an empty object', body('{}'), 422, 'BAD_INPUT'],
  ['no customer', body(without('customer')), 422, 'BAD_INPUT'],
  ['no source', body(without('source')), 422, 'BAD_INPUT'],
  ['an empty source', order({ source: ' ' }), 422, 'BAD_INPUT'],
  ['a source id as number', order({ source_id: 17 }), 422, 'BAD_INPUT'],
  ['no items', order({ items: [] }), 422, 'BAD_INPUT'],
  [
    'too many items',
    order({ items: Array.from({ length: 201 }, () => ({ vendor: 'a', quantity: 1, name: 'b' })) }),
    422,
    'BAD_INPUT',
  ],
  ['none of an item', order({ items: [{ vendor: 'a', quantity: 0, name: SECRET }] }), 422, 'BAD_INPUT'],
  ['a name that is too long', order({ customer: { name: SECRET.repeat(50) } }), 422, 'BAD_INPUT'],
  ['a total as number', order({ total: { amount: 23.9, currency: 'EUR' } }), 422, 'BAD_INPUT'],
  ['a total with a comma', order({ total: { amount: '23,90', currency: 'EUR' } }), 422, 'BAD_INPUT'],
  ['a currency that is a word', order({ total: { amount: '23.90', currency: SECRET } }), 422, 'BAD_INPUT'],
  ['a day without a time', order({ created_at: '2025-12-08' }), 422, 'BAD_INPUT'],
  ['a time that is a word', order({ created_at: SECRET }), 422, 'BAD_INPUT'],
  ['a time that retention has passed', order({ created_at: '2025-12-01T12:00:00+01:00' }), 422, 'BAD_INPUT'],
  ['a time two days ahead', order({ created_at: '2025-12-10T21:00:00+01:00' }), 422, 'BAD_INPUT'],
  ['a wish for next year', order({ wanted_at: '2026-12-08T18:00:00+01:00' }), 422, 'BAD_INPUT'],
  ['brackets in brackets', body(`{"a":${nested(33)}}`), 400, 'TOO_DEEP'],
  ['a tower of brackets', body(nested(100_000)), 400, 'TOO_DEEP'],
  ['more than 256 kB', order({ note: SECRET.repeat(50_000) }), 413, 'TOO_LARGE'],
]

const routes = [
  ['POST /telegram/webhook', postUpdate, [...brokenBodies, ...badUpdates], () => ({ body: '{"update_id":7}' }), 200],
  ['POST /intake/orders', postOrder, [...brokenBodies, ...badOrders], () => order({}), 201],
] as const

describe.each(routes)('%s', (_, post, bad, good, goodStatus) => {
  it.each(bad)('answers %s, and lives on', async (_what, request, status, code) => {
    const rig = await startRig()

    const answer = await post(rig, request)

    expect([answer.statusCode, answer.json().error.code]).toEqual([status, code])
    expect(answer.json()).toEqual({ error: { code, message: expect.stringMatching(/^\S.*\.$/s) } })
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(rig.updates).toEqual([])
    expect(rig.store.sent()).toEqual([])
    expect(rig.lines('request.failed')).toMatchObject([{ status, method: 'POST' }])
    expect(rig.log() + answer.body).not.toContain(SECRET)
    expect((await post(rig, good())).statusCode).toBe(goodStatus)
  })
})

it('the table has at least forty bad requests for each of the two routes', () => {
  for (const [, , bad] of routes) expect(bad.length).toBeGreaterThanOrEqual(40)
})
