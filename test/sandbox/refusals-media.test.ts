import { type Api, Bot, GrammyError, InlineKeyboard, InputFile, InputMediaBuilder } from 'grammy'
import type { InputMedia } from 'grammy/types'
import { afterEach, expect, it } from 'vitest'
import { gif, jpeg, png } from '../support/images.ts'
import { startTelegram, type TelegramStandIn } from '../support/telegram.ts'

const ANNA = 11
const STRANGER = 33
const GROUP = -4400
const MB = 1024 * 1024
const UNMODIFIED =
  'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message'

const telegrams: TelegramStandIn[] = []

afterEach(async () => {
  for (const telegram of telegrams.splice(0)) await telegram.stop()
})

/** A text, a photo and a document that the bot sent, and a text that Anna wrote. */
async function start() {
  const telegram = await startTelegram({
    chats: [{ id: GROUP, title: 'Riders', members: [ANNA] }],
    people: [
      { id: ANNA, firstName: 'Anna' },
      { id: STRANGER, firstName: 'Eve', hasStarted: false },
    ],
  })
  telegrams.push(telegram)
  const { api } = new Bot(telegram.token, { client: { apiRoot: telegram.url } })
  const text = await api.sendMessage(ANNA, 'Order 1')
  const photo = await api.sendPhoto(ANNA, upload(png(80, 60), 'a.png'), { caption: 'Proof' })
  const document = await api.sendDocument(ANNA, upload(Buffer.from('a;b'), 'a.csv'), { caption: 'Orders' })
  const sent = {
    text: text.message_id,
    photo: photo.message_id,
    document: document.message_id,
    theirs: telegram.say(ANNA, ANNA, 'hello').id,
    photoId: photo.photo[0]?.file_id ?? '',
    documentId: document.document.file_id,
  }
  return { api, sent }
}

type Sent = Awaited<ReturnType<typeof start>>['sent']

const upload = (bytes: Buffer, name = 'a.png') => new InputFile(bytes, name)

/** InputMedia that no type allows. */
const media = (value: unknown) => value as InputMedia

const { photo: photoMedia, document: documentMedia } = InputMediaBuilder

const html = (text: string) => (api: Api) => api.sendMessage(ANNA, text, { parse_mode: 'HTML' })

const unparsed = (reason: string) => `Bad Request: can't parse entities: ${reason}`

const cases: [string, number, string, (api: Api, sent: Sent) => Promise<unknown>][] = [
  // Sending
  ['no photo', 400, 'Bad Request: there is no photo in the request', (api) => api.sendPhoto(ANNA, '')],
  ['no document', 400, 'Bad Request: there is no document in the request', (api) => api.sendDocument(ANNA, '')],
  [
    'an attachment that did not come',
    400,
    'Bad Request: there is no photo in the request',
    (api) => api.sendPhoto(ANNA, 'attach://elsewhere'),
  ],
  ['an empty photo', 400, 'Bad Request: file must be non-empty', (api) => api.sendPhoto(ANNA, upload(Buffer.alloc(0)))],
  [
    'a photo of an unknown id',
    400,
    'Bad Request: wrong file identifier/HTTP URL specified',
    (api) => api.sendPhoto(ANNA, 'AgAC-unknown'),
  ],
  [
    'a photo by its address',
    400,
    'Bad Request: failed to get HTTP URL content',
    (api) => api.sendPhoto(ANNA, 'https://example.org/a.png'),
  ],
  [
    'a document by an address of one’s own machine',
    400,
    'Bad Request: failed to get HTTP URL content',
    (api) => api.sendDocument(ANNA, 'http://localhost/a'),
  ],
  [
    'a document as a photo',
    400,
    "Bad Request: can't use file of type Document as Photo",
    (api, { documentId }) => api.sendPhoto(ANNA, documentId),
  ],
  [
    'a photo as a document',
    400,
    "Bad Request: can't use file of type Photo as Document",
    (api, { photoId }) => api.sendDocument(ANNA, photoId),
  ],
  [
    'a photo of more than 10 MB',
    400,
    'Bad Request: file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes',
    (api) => api.sendPhoto(ANNA, upload(Buffer.concat([png(8, 8), Buffer.alloc(10 * MB - 32)]))),
  ],
  [
    'a photo that is no image',
    400,
    'Bad Request: IMAGE_PROCESS_FAILED',
    (api) => api.sendPhoto(ANNA, upload(Buffer.from('<svg/>'))),
  ],
  [
    'a photo of more than 10000 pixels in all',
    400,
    'Bad Request: PHOTO_INVALID_DIMENSIONS',
    (api) => api.sendPhoto(ANNA, upload(png(5001, 5000))),
  ],
  [
    'a photo that is more than 20 times as wide as high',
    400,
    'Bad Request: PHOTO_INVALID_DIMENSIONS',
    (api) => api.sendPhoto(ANNA, upload(jpeg(201, 10))),
  ],
  [
    'a photo without a height',
    400,
    'Bad Request: PHOTO_INVALID_DIMENSIONS',
    (api) => api.sendPhoto(ANNA, upload(gif(100, 0))),
  ],
  [
    'a long caption of a photo',
    400,
    'Bad Request: message caption is too long',
    (api, { photoId }) => api.sendPhoto(ANNA, photoId, { caption: 'x'.repeat(1025) }),
  ],
  ['a photo for nobody', 400, 'Bad Request: chat not found', (api) => api.sendPhoto(999, upload(png(8, 8)))],
  [
    'a photo for a person who never pressed Start',
    403,
    "Forbidden: bot can't initiate conversation with a user",
    (api) => api.sendPhoto(STRANGER, upload(png(8, 8))),
  ],
  [
    'a photo in reply to nothing',
    400,
    'Bad Request: message to be replied not found',
    (api, { photoId }) => api.sendPhoto(ANNA, photoId, { reply_parameters: { message_id: 77 } }),
  ],

  // Editing
  [
    'a text for a photo',
    400,
    'Bad Request: there is no text in the message to edit',
    (api, { photo }) => api.editMessageText(ANNA, photo, 'x'),
  ],
  [
    'a text for a document',
    400,
    'Bad Request: there is no text in the message to edit',
    (api, { document }) => api.editMessageText(ANNA, document, 'x'),
  ],
  [
    'a caption for a text',
    400,
    'Bad Request: there is no caption in the message to edit',
    (api, { text }) => api.editMessageCaption(ANNA, text, { caption: 'x' }),
  ],
  [
    'a caption for nothing',
    400,
    'Bad Request: message to edit not found',
    (api) => api.editMessageCaption(ANNA, 77, { caption: 'x' }),
  ],
  [
    'a caption for a message of somebody else',
    400,
    "Bad Request: message can't be edited",
    (api, { theirs }) => api.editMessageCaption(ANNA, theirs, { caption: 'x' }),
  ],
  [
    'the same caption',
    400,
    UNMODIFIED,
    (api, { photo }) => api.editMessageCaption(ANNA, photo, { caption: ' Proof ' }),
  ],
  [
    'a caption that is too long',
    400,
    'Bad Request: message caption is too long',
    (api, { photo }) => api.editMessageCaption(ANNA, photo, { caption: 'x'.repeat(1025) }),
  ],
  ['the same buttons of a photo', 400, UNMODIFIED, (api, { photo }) => api.editMessageReplyMarkup(ANNA, photo)],
  [
    'buttons for nothing',
    400,
    'Bad Request: message to edit not found',
    (api) => api.editMessageReplyMarkup(ANNA, 77, { reply_markup: new InlineKeyboard().text('a', 'b') }),
  ],
  [
    'the same media',
    400,
    UNMODIFIED,
    (api, { photo, photoId }) => api.editMessageMedia(ANNA, photo, photoMedia(photoId, { caption: 'Proof' })),
  ],
  [
    'media for nothing',
    400,
    'Bad Request: message to edit not found',
    (api, { photoId }) => api.editMessageMedia(ANNA, 77, photoMedia(photoId)),
  ],
  [
    'media for a message of somebody else',
    400,
    "Bad Request: message media can't be edited",
    (api, { theirs, photoId }) => api.editMessageMedia(ANNA, theirs, photoMedia(photoId)),
  ],
  [
    'no media',
    400,
    'Bad Request: parameter "media" is required',
    (api, { photo }) => api.editMessageMedia(ANNA, photo, media(undefined)),
  ],
  [
    'media that are no JSON',
    400,
    "Bad Request: can't parse input media JSON object",
    (api, { photo }) => api.editMessageMedia(ANNA, photo, media('{')),
  ],
  [
    'media that are a list',
    400,
    "Bad Request: can't parse InputMedia: expected an Object",
    (api, { photo }) => api.editMessageMedia(ANNA, photo, media([])),
  ],
  [
    'media without a file',
    400,
    "Bad Request: can't parse InputMedia: media not found",
    (api, { photo }) => api.editMessageMedia(ANNA, photo, media({ type: 'photo' })),
  ],
  [
    'media whose attachment did not come',
    400,
    "Bad Request: can't parse InputMedia: media not found",
    (api, { photo }) => api.editMessageMedia(ANNA, photo, media({ type: 'photo', media: 'attach://a' })),
  ],
  [
    'media without a type',
    400,
    'Bad Request: can\'t parse InputMedia: Can\'t find field "type"',
    (api, { photo, photoId }) => api.editMessageMedia(ANNA, photo, media({ media: photoId })),
  ],
  [
    'media of another type',
    400,
    'Bad Request: can\'t parse InputMedia: type "hologram" is unsupported',
    (api, { photo, photoId }) => api.editMessageMedia(ANNA, photo, media({ type: 'hologram', media: photoId })),
  ],
  [
    'media with a spoiler that is a text',
    400,
    'Bad Request: can\'t parse InputMedia: Field "has_spoiler" must be of type Boolean',
    (api, { photo, photoId }) =>
      api.editMessageMedia(ANNA, photo, media({ type: 'photo', media: photoId, has_spoiler: 'yes' })),
  ],
  [
    'media with a wrong tag in the caption',
    400,
    'Bad Request: can\'t parse InputMedia: Can\'t parse entities: Unsupported start tag "x" at byte offset 0',
    (api, { photo, photoId }) =>
      api.editMessageMedia(ANNA, photo, photoMedia(photoId, { caption: '<x>', parse_mode: 'HTML' })),
  ],
  [
    'media with an unknown entity in the caption',
    400,
    "Bad Request: can't parse InputMedia: Can't parse MessageEntity: Unsupported type specified",
    (api, { photo, photoId }) =>
      api.editMessageMedia(
        ANNA,
        photo,
        media({
          type: 'photo',
          media: photoId,
          caption: 'a',
          caption_entities: [{ type: 'loud', offset: 0, length: 1 }],
        }),
      ),
  ],
  [
    'media with a long caption',
    400,
    'Bad Request: message caption is too long',
    (api, { photo, photoId }) => api.editMessageMedia(ANNA, photo, photoMedia(photoId, { caption: 'x'.repeat(1025) })),
  ],
  [
    'a document among media as a photo',
    400,
    "Bad Request: can't use file of type Document as Photo",
    (api, { photo, documentId }) => api.editMessageMedia(ANNA, photo, photoMedia(documentId)),
  ],
  [
    'media by their address',
    400,
    'Bad Request: failed to get HTTP URL content',
    (api, { photo }) => api.editMessageMedia(ANNA, photo, documentMedia('https://example.org/a.pdf')),
  ],
  [
    'media of an unknown id',
    400,
    'Bad Request: wrong file identifier/HTTP URL specified',
    (api, { photo }) => api.editMessageMedia(ANNA, photo, documentMedia('BQAC-unknown')),
  ],
  [
    'media that are no image',
    400,
    'Bad Request: IMAGE_PROCESS_FAILED',
    (api, { text }) => api.editMessageMedia(ANNA, text, photoMedia(upload(Buffer.from('a')))),
  ],

  // Fetching
  ['the file of no id', 400, 'Bad Request: file_id not specified', (api) => api.getFile('')],
  ['the file of an unknown id', 400, 'Bad Request: invalid file_id', (api) => api.getFile('BQAC-unknown')],
  [
    'a file of more than 20 MB',
    400,
    'Bad Request: file is too big',
    async (api) => {
      const { document } = await api.sendDocument(ANNA, upload(Buffer.alloc(20 * MB + 1), 'big.bin'))
      return api.getFile(document.file_id)
    },
  ],

  // Formatting
  [
    'Markdown',
    400,
    'Bad Request: unsupported parse_mode',
    (api) => api.sendMessage(ANNA, '*a*', { parse_mode: 'MarkdownV2' }),
  ],
  [
    'a way of formatting that does not exist',
    400,
    'Bad Request: unsupported parse_mode',
    (api, { photoId }) => api.sendPhoto(ANNA, photoId, { caption: 'a', parse_mode: 'BBCode' as 'HTML' }),
  ],
  ['an unknown tag', 400, unparsed('Unsupported start tag "x" at byte offset 7'), html('ü 🚲<X>')],
  ['an arrow', 400, unparsed('Unsupported start tag "-" at byte offset 2'), html('a <- b')],
  ['a tag with a slash', 400, unparsed('Unsupported start tag "br/" at byte offset 1'), html('a<br/>')],
  ['a tag that does not end', 400, unparsed('Unclosed start tag at byte offset 1'), html('a<b')],
  [
    'a tag that is not closed',
    400,
    unparsed('Can\'t find end tag corresponding to start tag "b"'),
    html('<i>a</i> <b>c'),
  ],
  [
    'tags that cross',
    400,
    unparsed('Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
    html('<b><i>a</b></i>'),
  ],
  ['an end tag alone', 400, unparsed('Unexpected end tag at byte offset 1'), html('a</b>')],
  ['an end tag that does not end', 400, unparsed('Unclosed end tag at byte offset 4'), html('<b>a</b')],
  ['an end tag with more in it', 400, unparsed('Unclosed end tag at byte offset 4'), html('<b>a</b c>')],
  [
    'a span that is no spoiler',
    400,
    unparsed('Tag "span" must have class "tg-spoiler" at byte offset 0'),
    html('<span class="red">a</span>'),
  ],
  [
    'an attribute without a name',
    400,
    unparsed('Empty attribute name in the tag "a" at byte offset 0'),
    html('<a "x">a</a>'),
  ],
  ['an attribute that ends the text', 400, unparsed('Unclosed start tag "a" at byte offset 0'), html('<a href')],
  ['an attribute without its value', 400, unparsed('Unclosed start tag "a" at byte offset 0'), html('<a href= ')],
  ['a value that is not closed', 400, unparsed('Unclosed start tag at byte offset 0'), html('<a href="x>a</a>')],
  [
    'an address without quotes',
    400,
    unparsed('Unexpected end of name token at byte offset 8'),
    html('<a href=http://a.b>a</a>'),
  ],
  [
    'an emoji without an id',
    400,
    unparsed('Invalid custom emoji identifier specified'),
    html('<tg-emoji>🚲</tg-emoji>'),
  ],
  [
    'half a character',
    400,
    unparsed(
      'Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units',
    ),
    html('&#xD83D;'),
  ],
  ['nothing but tags', 400, 'Bad Request: text must be non-empty', html('<b> </b>')],
  [
    'more text than there may be after reading the tags',
    400,
    'Bad Request: message is too long',
    html(`<b>${'&lt;'.repeat(4097)}</b>`),
  ],
]

it.each(cases)('refuses %s', async (_what, status, description, call) => {
  const { api, sent } = await start()

  const error: unknown = await call(api, sent).catch((reason: unknown) => reason)

  if (!(error instanceof GrammyError)) throw new Error('The call was not refused.', { cause: error })
  expect([error.error_code, error.description]).toEqual([status, description])
})

it('refuses a document of more than 50 MB', async () => {
  const { api } = await start()

  const error: unknown = await api
    .sendDocument(ANNA, upload(Buffer.alloc(50 * MB + 1), 'big.bin'))
    .catch((reason: unknown) => reason)

  expect(error).toMatchObject({ error_code: 413, description: 'Request Entity Too Large' })
})
