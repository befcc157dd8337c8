import { fastify } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { decodeLink, parseLink } from '../../src/sandbox/bot-api/links.ts'
import { createStandIn } from '../../src/sandbox/bot-api/stand-in.ts'

const ANNA = 11

const stops: (() => unknown)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

/** Sends Anna a message, and gives what Telegram answers. */
async function send(message: object) {
  const telegram = createStandIn({ people: [{ id: ANNA, firstName: 'Anna' }] })
  const app = fastify()
  await app.register(telegram.plugin)
  stops.push(() => app.close(), telegram.stop)
  const payload = { chat_id: ANNA, text: 'abcdef', ...message }
  const response = await app.inject({ method: 'POST', url: `/bot${telegram.token}/sendMessage`, payload })
  return response.json<{ description?: string; result?: object }>()
}

const sendEntity = async (entity: object) => send({ entities: [{ offset: 0, length: 3, ...entity }] })

const sendButton = async (url: string) => send({ reply_markup: { inline_keyboard: [[{ text: 'Open', url }]] } })

describe('Links', () => {
  it.each([
    ['example.com', 'http://example.com/'],
    ['HTTPS://Example.COM', 'https://example.com/'],
    ['https://example.com:0443/Map?a=b#c', 'https://example.com:443/Map?a=b#c'],
    ['example.com?q', 'http://example.com/?q'],
    ['example.com/a b \n', 'http://example.com/a%20b'],
    ['http://Me:pw@Example.com', 'http://Me:pw@example.com/'],
    ['mailto:me@example.com', 'http://mailto:me@example.com/'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000/'],
    ['http://[::1]:3000/x', 'http://[::1]:3000/x'],
    ['http://bücher.example', 'http://bücher.example/'],
    ['http://a%41.example', 'http://a%41.example/'],
    ['tg:resolve?domain=orderly', 'tg://resolve?domain=orderly'],
    ['TG://Resolve/?domain=Orderly', 'tg://resolve?domain=Orderly'],
    ['tg://settings', 'tg://settings/'],
    ['tonsite://orderly.ton', 'tonsite://orderly.ton/'],
    ['tg://user?id=0', 'tg://user?id=0'],
    ['tg://user?id=x&id=5', 'tg://user?id=x&id=5'],
    ['tg://user?id=1099511627776', 'tg://user?id=1099511627776'],
  ])('%j leads to %s', (address, url) => {
    expect(decodeLink(address)).toEqual({ url })
  })

  it.each(['tg://user?id=11', 'tg:user?id=11', 'TG://User/?a=1&ID=11#x'])('%s leads to a person', (address) => {
    expect(decodeLink(address)).toEqual({ userId: 11 })
  })

  it.each([
    ['', 'URL host is empty'],
    ['#top', 'URL host is empty'],
    ['tg:', 'URL host is empty'],
    ['.', 'Host is invalid'],
    ['foo', 'Wrong HTTP URL'],
    ['http://localhost:0', 'Wrong port number specified in the URL'],
    ['http://localhost:3000', 'Wrong HTTP URL'],
    ['ftp://example.com', 'Unsupported URL protocol'],
    ['://example.com', 'Unsupported URL protocol'],
    ['javascript:alert(1)', 'Wrong port number specified in the URL'],
    ['example.com:65536', 'Wrong port number specified in the URL'],
    ['example.com:', 'Wrong port number specified in the URL'],
    ['http://a b.example', 'Disallowed character in URL host'],
    [':80', 'Disallowed character in URL host'],
    ['http://a%4.example', 'Wrong percent-encoded symbol in URL host'],
    ['http://<me>@example.com', 'Disallowed character in URL userinfo'],
    ['http://[::g]/', 'Wrong IPv6 address specified in the URL'],
    ['http://[fe80::1%1]/', 'Wrong IPv6 address specified in the URL'],
    ['tg://a.b', 'Unallowed characters in URL host'],
    ['tg://resolve:80', 'Wrong tg URL'],
    ['tg://http://example.com', 'Wrong tg URL'],
    ['ton://me@transfer', 'Wrong ton URL'],
  ])('%j leads nowhere: %s', (address, why) => {
    expect(decodeLink(address)).toBeUndefined()
    expect(() => parseLink(address, 'Entity')).toThrow(`Bad Request: entity URL '${address}' is invalid: ${why}`)
  })

  it('takes long addresses in a moment', () => {
    for (const part of [' ', ':', '@', '/', '%41', '&', 'id=']) {
      expect(decodeLink(`http://example.com/${part.repeat(30_000)}x`)).toBeDefined()
      decodeLink(`http://${part.repeat(30_000)}x`)
      decodeLink(`tg://user?${part.repeat(30_000)}x`)
    }
  }, 2000)
})

describe('Links of entities', () => {
  it.each([
    ['example.com', [{ type: 'text_link', offset: 0, length: 3, url: 'http://example.com/' }]],
    ['tg://user?id=11', [{ type: 'text_mention', offset: 0, length: 3, user: { id: ANNA, first_name: 'Anna' } }]],
  ])('%s', async (url, entities) => {
    expect(await sendEntity({ type: 'text_link', url })).toMatchObject({ result: { entities } })
  })

  it.each([
    [
      { url: 'javascript:alert(1)' },
      "entity URL 'javascript:alert(1)' is invalid: Wrong port number specified in the URL",
    ],
    [{ url: 'foo' }, "entity URL 'foo' is invalid: Wrong HTTP URL"],
    [{ url: '', length: 0 }, "entity URL '' is invalid: URL host is empty"],
    [{}, 'can\'t parse MessageEntity: Can\'t find field "url"'],
    [{ type: 'text_mention' }, 'can\'t parse MessageEntity: Can\'t find field "user"'],
    [{ type: 'text_mention', user: 'x' }, 'can\'t parse MessageEntity: Field "user" must be of type Object'],
    [{ type: 'text_mention', user: {} }, 'can\'t parse MessageEntity: Can\'t find field "id"'],
    [{ type: 'pre', language: {} }, 'can\'t parse MessageEntity: Field "language" must be of type String'],
    [{ type: 'custom_emoji' }, 'can\'t parse MessageEntity: Can\'t find field "custom_emoji_id"'],
    [{ type: 'sparkle' }, "can't parse MessageEntity: Unsupported type specified"],
  ])('refuses %j', async (entity, description) => {
    const answer = await sendEntity({ type: 'text_link', ...entity })

    expect(answer).toEqual({ ok: false, error_code: 400, description: `Bad Request: ${description}` })
  })

  it('keeps of an entity what belongs to its type, and nothing else', async () => {
    const extras = { url: 'foo', user: 'x', language: {} }
    const answer = await send({
      entities: [
        { type: 'bold', offset: 0, length: 1, ...extras },
        { type: 'pre', offset: 2, length: 2, ...extras, language: 'ts' },
        { type: 'mention', offset: -1, length: 1, ...extras },
      ],
    })

    expect(answer.result).toHaveProperty('entities', [
      { type: 'bold', offset: 0, length: 1 },
      { type: 'pre', offset: 2, length: 2, language: 'ts' },
    ])
  })
})

describe('Links of buttons', () => {
  it.each([
    ['example.com', 'http://example.com/'],
    ['t.me/orderly', 'http://t.me/orderly'],
    ['tg:resolve?domain=orderly', 'tg://resolve?domain=orderly'],
    ['tg:user?id=11', 'tg://user?id=11'],
  ])('%s is shown as %s', async (address, url) => {
    const keyboard = { inline_keyboard: [[{ text: 'Open', url }]] }

    expect(await sendButton(address)).toMatchObject({ result: { reply_markup: keyboard } })
  })

  it.each([
    ['foo', 'Wrong HTTP URL'],
    ['http://localhost:3000', 'Wrong HTTP URL'],
    ['javascript:alert(1)', 'Wrong port number specified in the URL'],
    ['ftp://example.com', 'Unsupported URL protocol'],
  ])('refuses %s', async (address, why) => {
    const description = `Bad Request: inline keyboard button URL '${address}' is invalid: ${why}`

    expect(await sendButton(address)).toEqual({ ok: false, error_code: 400, description })
  })
})
