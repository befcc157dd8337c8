import { describe, expect, it } from 'vitest'
import { CallFailure } from '../../src/sandbox/bot-api/failures.ts'
import { parseMultipart } from '../../src/sandbox/bot-api/multipart.ts'

const TYPE = 'multipart/form-data; boundary=xyz'

/** A body of parts, each as its header's attributes and its content. */
const bodyOf = (...parts: readonly (readonly [attributes: string, content: string | Buffer])[]) =>
  Buffer.concat([
    ...parts.flatMap(([attributes, content]) => [
      Buffer.from(`--xyz\r\ncontent-disposition: form-data; ${attributes}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from('--xyz--\r\n'),
  ])

const refused = async (body: Buffer, type = TYPE) => {
  const error: unknown = await parseMultipart(body, type).catch((reason: unknown) => reason)
  if (!(error instanceof CallFailure)) throw new Error('The body was not refused.', { cause: error })
  return [error.status, error.message]
}

describe('A multipart body', () => {
  it.each([
    ['with quotes', 'name="a"; filename="b c.csv"'],
    ['without quotes', 'name=a;filename=b c.csv'],
    ['with a type that says otherwise', 'name="a"; filename="b c.csv"\r\ncontent-type: application/pdf'],
  ])('names a file %s', async (_how, attributes) => {
    const { files } = await parseMultipart(bodyOf([attributes, 'x']), TYPE)

    expect(files.get('a')).toEqual({ fileName: 'b c.csv', mimeType: 'text/csv', bytes: Buffer.from('x') })
  })

  it('has fields as texts, in any language, be they empty', async () => {
    const body = bodyOf(['name="text"', 'Grüße 🚲'], ['name=empty', ''], ['name=files; filename=größe.png', ''])
    const { values, files } = await parseMultipart(body, TYPE)

    expect(values).toEqual({ text: 'Grüße 🚲', empty: '' })
    expect(files.get('files')).toMatchObject({ fileName: 'größe.png', mimeType: 'image/png', bytes: Buffer.alloc(0) })
  })

  it('keeps bytes that look like the boundary, and large ones', async () => {
    const content = Buffer.concat([
      Buffer.from('\r\n--xy\r\n\r\n--'),
      Buffer.alloc(3_000_000, 'z'),
      Buffer.from('\r\n'),
    ])
    const { files } = await parseMultipart(
      bodyOf(['name=a; filename=b', content], ['name=c; filename=d', content]),
      TYPE,
    )

    expect(files.get('a')?.bytes.equals(content)).toBe(true)
    expect(files.get('c')?.bytes.equals(content)).toBe(true)
  })

  it('may have a boundary in quotes, and no part at all', async () => {
    expect(await parseMultipart(bodyOf(['name=a', 'b']), 'Multipart/Form-Data; boundary="xyz"')).toMatchObject({
      values: { a: 'b' },
    })
    expect(await parseMultipart(bodyOf(), TYPE)).toEqual({ values: {}, files: new Map() })
  })

  it('does not touch what every object has', async () => {
    const { values } = await parseMultipart(bodyOf(['name=__proto__', 'x']), TYPE)

    expect(Object.getPrototypeOf(values)).toBe(Object.prototype)
  })

  const whole = bodyOf(['name=a; filename=b', 'content'], ['name=c', 'd'])
  it.each<readonly [string, Buffer]>([
    ['empty', Buffer.alloc(0)],
    ['without a boundary', Buffer.from('hello')],
    ...[5, 20, 60, 70, 90, whole.length - 5].map((at) => [`cut after ${at} bytes`, whole.subarray(0, at)] as const),
  ])('that is %s is refused', async (_what, body) => {
    expect(await refused(body)).toEqual([400, "Bad Request: can't parse multipart/form-data"])
  })

  it('is refused without a boundary in its type, and with a part that has no name', async () => {
    expect(await refused(whole, 'multipart/form-data')).toEqual([400, 'Bad Request: boundary not found'])
    expect(await refused(bodyOf(['filename=b', 'x']))).toEqual([
      400,
      'Bad Request: field name in multipart/form-data not found',
    ])
  })
})
