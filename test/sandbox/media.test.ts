import { type Api, Bot, InlineKeyboard, InputFile, InputMediaBuilder } from 'grammy'
import { afterEach, describe, expect, it } from 'vitest'
import { createFileStore } from '../../src/sandbox/bot-api/files.ts'
import { gif, jpeg, png, webp } from '../support/images.ts'
import { startTelegram, type TelegramStandIn } from '../support/telegram.ts'

const ANNA = 11
const BEN = 22
const GROUP = -4400

const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function start(): Promise<{ telegram: TelegramStandIn; api: Api }> {
  const telegram = await startTelegram({
    chats: [{ id: GROUP, title: 'Riders', members: [ANNA, BEN] }],
    people: [
      { id: ANNA, firstName: 'Anna', username: 'anna' },
      { id: BEN, firstName: 'Ben' },
    ],
  })
  stops.push(telegram.stop)
  return { telegram, api: new Bot(telegram.token, { client: { apiRoot: telegram.url } }).api }
}

const upload = (bytes: Buffer, name: string) => new InputFile(bytes, name)

/** Bytes in which a boundary and line ends could be lost. */
const csv = Buffer.from('id;note\r\n1;"--boundary\r\n\r\n"\r\n\0\xFF', 'latin1')

const idOf = ({ photo }: { readonly photo?: readonly { readonly file_id: string }[] }) => photo?.[0]?.file_id ?? ''

describe('Sending', () => {
  it('a photo shows its size, its caption and how it is shown', async () => {
    const { api, telegram } = await start()
    const bytes = png(800, 600)
    const sent = await api.sendPhoto(ANNA, upload(bytes, 'proof.png'), {
      caption: ' <b>Proof</b> of 🚲 ',
      parse_mode: 'HTML',
      show_caption_above_media: true,
      has_spoiler: true,
      protect_content: true,
      disable_notification: true,
      reply_markup: new InlineKeyboard().text('Seen', 'seen:1'),
    })

    expect(sent).toMatchObject({
      photo: [{ file_id: expect.any(String), file_unique_id: expect.any(String), width: 800, height: 600 }],
      caption: 'Proof of 🚲',
      caption_entities: [{ type: 'bold', offset: 0, length: 5 }],
      show_caption_above_media: true,
      has_media_spoiler: true,
      has_protected_content: true,
      reply_markup: { inline_keyboard: [[{ text: 'Seen', callback_data: 'seen:1' }]] },
    })
    expect(sent.photo[0]?.file_size).toBe(bytes.length)
    expect(sent).not.toHaveProperty('text')
    expect(telegram.chat(ANNA).messages[0]?.photo?.bytes.equals(bytes)).toBe(true)
  })

  it.each([
    ['PNG', png(8, 6), 'image/png', 'png'],
    ['JPEG', jpeg(8, 6), 'image/jpeg', 'jpg'],
    ['GIF', gif(8, 6), 'image/gif', 'gif'],
    ['WebP', webp('VP8L', 8, 6), 'image/webp', 'webp'],
  ])('a %s is known by its bytes, whatever its name', async (_what, bytes, mimeType, ending) => {
    const { api, telegram } = await start()
    const sent = await api.sendPhoto(ANNA, upload(bytes, 'photo.html'))

    expect(telegram.file(idOf(sent))).toMatchObject({ kind: 'photo', mimeType, width: 8, height: 6 })
    expect((await api.getFile(idOf(sent))).file_path).toMatch(new RegExp(`^photos/file_\\d+\\.${ending}$`))
  })

  it.each([
    ['10 000 pixels in all', png(5000, 5000)],
    ['20 times as long as wide', png(400, 8000)],
    ['10 MB', Buffer.concat([png(8, 8), Buffer.alloc(10 * 1024 * 1024 - png(8, 8).length)])],
  ])('a photo may have %s', async (_what, bytes) => {
    const { api } = await start()

    expect((await api.sendPhoto(ANNA, upload(bytes, 'a.png'))).photo).toHaveLength(1)
  })

  it('again by its id takes no new upload, in any chat', async () => {
    const { api, telegram } = await start()
    const photo = await api.sendPhoto(ANNA, upload(png(8, 6), 'a.png'))
    const { document } = await api.sendDocument(ANNA, upload(csv, 'orders.csv'))

    expect(idOf(await api.sendPhoto(GROUP, idOf(photo), { caption: 'Again' }))).toBe(idOf(photo))
    expect((await api.sendDocument(BEN, document.file_id)).document).toEqual(document)
    expect(telegram.chat(GROUP).messages[0]?.photo?.bytes.equals(png(8, 6))).toBe(true)
  })

  it('takes a file by its field, or by a name it was attached under', async () => {
    const { telegram } = await start()
    const send = async (method: string, fields: Record<string, string | Blob>) => {
      const body = new FormData()
      for (const [name, value] of Object.entries({ chat_id: String(ANNA), ...fields })) body.append(name, value)
      return (await fetch(`${telegram.url}/bot${telegram.token}/${method}`, { method: 'POST', body })).json()
    }

    expect(await send('sendDocument', { document: new File([csv], 'a.csv') })).toMatchObject({
      result: { document: { file_name: 'a.csv', mime_type: 'text/csv', file_size: csv.length } },
    })
    expect(await send('sendPhoto', { photo: 'attach://x', x: new File([png(8, 6)], 'a.png') })).toMatchObject({
      result: { photo: [{ width: 8, height: 6 }] },
    })
  })

  it('an image as a document stays a document, which nothing covers or turns around', async () => {
    const { api } = await start()
    const options = { caption: 'a', has_spoiler: true, show_caption_above_media: true }
    const sent = await api.sendDocument(ANNA, upload(png(8, 6), 'a.png'), options)

    expect(sent).toMatchObject({ document: { mime_type: 'image/png' }, caption: 'a' })
    for (const absent of ['photo', 'has_media_spoiler', 'show_caption_above_media']) {
      expect(sent).not.toHaveProperty(absent)
    }
  })

  it('what was refused leaves no message', async () => {
    const { api, telegram } = await start()
    await expect(api.sendPhoto(ANNA, upload(Buffer.from('no image'), 'a.png'))).rejects.toThrow('IMAGE_PROCESS_FAILED')

    expect(telegram.chat(ANNA).messages).toEqual([])
  })
})

describe('Editing', () => {
  it('a caption changes or goes, and the photo stays', async () => {
    const { api, telegram } = await start()
    const { message_id, photo } = await api.sendPhoto(ANNA, upload(png(8, 6), 'a.png'), { has_spoiler: true })

    const changed = await api.editMessageCaption(ANNA, message_id, {
      caption: '<i>Proof</i>',
      parse_mode: 'HTML',
      show_caption_above_media: true,
    })
    expect(changed).toMatchObject({
      caption: 'Proof',
      caption_entities: [{ type: 'italic', offset: 0, length: 5 }],
      show_caption_above_media: true,
      has_media_spoiler: true,
      edit_date: expect.any(Number),
      photo,
    })
    expect(await api.editMessageCaption(ANNA, message_id)).not.toHaveProperty('caption')
    expect(telegram.chat(ANNA).messages).toMatchObject([{ text: '', entities: [], edits: 2 }])
  })

  it('a document’s caption may say the same with other buttons', async () => {
    const { api } = await start()
    const { message_id } = await api.sendDocument(ANNA, upload(csv, 'a.csv'), { caption: 'Orders' })
    const reply_markup = new InlineKeyboard().text('Again', 'again')

    expect(await api.editMessageCaption(ANNA, message_id, { caption: 'Orders', reply_markup })).toMatchObject({
      caption: 'Orders',
      document: { file_name: 'a.csv' },
      reply_markup: { inline_keyboard: [[{ text: 'Again' }]] },
    })
  })

  it('media replace media: a photo becomes a document and a photo again', async () => {
    const { api, telegram } = await start()
    const first = await api.sendPhoto(ANNA, upload(png(8, 6), 'a.png'), {
      caption: 'Proof',
      has_spoiler: true,
      reply_markup: new InlineKeyboard().text('a', 'a'),
    })
    const csvMedia = InputMediaBuilder.document(upload(csv, 'a.csv'), { caption: '<u>Orders</u>', parse_mode: 'HTML' })
    const second = await api.editMessageMedia(ANNA, first.message_id, csvMedia)

    expect(second).toMatchObject({ document: { file_name: 'a.csv' }, caption_entities: [{ type: 'underline' }] })
    for (const gone of ['photo', 'has_media_spoiler', 'reply_markup']) expect(second).not.toHaveProperty(gone)
    expect(telegram.chat(ANNA).messages[0]?.document?.bytes.equals(csv)).toBe(true)

    const third = await api.editMessageMedia(ANNA, first.message_id, InputMediaBuilder.photo(idOf(first)))
    expect(third).toMatchObject({ photo: first.photo })
    for (const gone of ['document', 'caption']) expect(third).not.toHaveProperty(gone)
  })

  it('a text may become a photo, and keeps what it replied to', async () => {
    const { api, telegram } = await start()
    const asked = telegram.say(ANNA, ANNA, 'Where is it?')
    const { message_id } = await api.sendMessage(ANNA, 'One moment', {
      reply_parameters: { message_id: asked.id },
      link_preview_options: { is_disabled: true },
    })
    const media = InputMediaBuilder.photo(upload(jpeg(8, 6), 'a.jpg'), { has_spoiler: true })
    const changed = await api.editMessageMedia(ANNA, message_id, media)

    expect(changed).toMatchObject({
      photo: [{ width: 8, height: 6 }],
      has_media_spoiler: true,
      reply_to_message: { text: 'Where is it?' },
    })
    for (const gone of ['text', 'caption', 'link_preview_options']) expect(changed).not.toHaveProperty(gone)
  })

  it('buttons alone leave photo and caption as they are', async () => {
    const { api, telegram } = await start()
    const { message_id, photo } = await api.sendPhoto(ANNA, upload(png(8, 6), 'a.png'), { caption: 'Proof' })
    const reply_markup = new InlineKeyboard().text('Seen', 'seen')

    expect(await api.editMessageReplyMarkup(ANNA, message_id, { reply_markup })).toMatchObject({
      photo,
      caption: 'Proof',
      reply_markup: { inline_keyboard: [[{ text: 'Seen' }]] },
    })
    expect(telegram.chat(ANNA).messages).toMatchObject([{ text: 'Proof', edits: 1, photo: { kind: 'photo' } }])
  })
})

describe('Fetching', () => {
  it('gives the bytes of a document back as they were sent', async () => {
    const { api, telegram } = await start()
    const { document } = await api.sendDocument(ANNA, upload(csv, '../../Orders May.CSV'))
    const file = await api.getFile(document.file_id)
    const response = await fetch(`${telegram.url}/file/bot${telegram.token}/${file.file_path}`)

    expect(file).toMatchObject({ file_id: document.file_id, file_size: csv.length })
    expect(file.file_path).toMatch(/^documents\/file_\d+\.csv$/)
    expect(Buffer.from(await response.arrayBuffer()).equals(csv)).toBe(true)
  })

  it('knows no other path, and no other bot', async () => {
    const { api, telegram } = await start()
    const { document } = await api.sendDocument(ANNA, upload(csv, 'a.csv'))
    const { file_path = '' } = await api.getFile(document.file_id)
    const statusOf = async (path: string) => (await fetch(`${telegram.url}${path}`)).status

    expect(await statusOf(`/file/bot${telegram.token}/${file_path}`)).toBe(200)
    expect(await statusOf(`/file/bot${telegram.token}/${file_path}x`)).toBe(404)
    expect(await statusOf(`/file/bot1234567:other/${file_path}`)).toBe(404)
  })
})

describe('Mentions', () => {
  it('show the person who is meant', async () => {
    const { api } = await start()

    expect(await api.sendMessage(ANNA, `<a href="tg://user?id=${BEN}">Ben</a>`, { parse_mode: 'HTML' })).toMatchObject({
      text: 'Ben',
      entities: [{ type: 'text_mention', offset: 0, length: 3, user: { id: BEN, first_name: 'Ben', is_bot: false } }],
    })
  })
})

const named = (fileName: string, size: number) => ({ fileName, mimeType: 'text/plain', bytes: Buffer.alloc(size, 1) })

describe('The files kept', () => {
  it('are as many bytes as may be, the oldest dropped first', () => {
    const files = createFileStore({ most: 100 })
    const [first, second, third] = [files.add(named('a', 50)), files.add(named('b', 40)), files.add(named('c', 20))]

    expect(files.find(first.fileId)).toBeUndefined()
    expect(files.findByPath('documents/file_1')).toBeUndefined()
    expect([first.bytes.length, first.size, files.pathOf(first)]).toEqual([0, 50, ''])
    expect([second, third].map(({ fileId }) => files.find(fileId)?.bytes.length)).toEqual([40, 20])
  })

  it('always have the latest, however large, and never the same id twice', () => {
    const files = createFileStore({ most: 10 })
    const [first, second] = [files.add(named('a', 50)), files.add(named('b', 60))]

    expect([files.find(first.fileId), files.find(second.fileId)]).toEqual([undefined, second])
    expect(first.fileId).not.toBe(second.fileId)
  })
})
