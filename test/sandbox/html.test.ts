import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { settleEntities } from '../../src/sandbox/bot-api/entities.ts'
import { CallFailure } from '../../src/sandbox/bot-api/failures.ts'
import { type Entity, parseRawText, TEXT } from '../../src/sandbox/bot-api/formatted-text.ts'
import { parseHtml } from '../../src/sandbox/bot-api/html.ts'

/** A text as `sendMessage` reads it. */
const read = (text: string) => parseRawText({ text, parseMode: 'HTML', entities: undefined }, TEXT)

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const at = (type: string, offset: number, length: number, extra: object = {}) => ({ type, offset, length, ...extra })

describe('Tags', () => {
  it.each([
    ['<b>a</b><strong> b</strong>', 'a b', [at('bold', 0, 3)]],
    ['<i>a</i>b<em>c</em>', 'abc', [at('italic', 0, 1), at('italic', 2, 1)]],
    ['<u>a</u> <ins>b</ins>', 'a b', [at('underline', 0, 1), at('underline', 2, 1)]],
    ['<s>a</s> <strike>b</strike> <del>c</del>', 'a b c', [0, 2, 4].map((offset) => at('strikethrough', offset, 1))],
    ['<tg-spoiler>a</tg-spoiler> <span class="tg-spoiler">b</span>', 'a b', [at('spoiler', 0, 1), at('spoiler', 2, 1)]],
    ['<code>a</code>', 'a', [at('code', 0, 1)]],
    ['<pre>a</pre>', 'a', [at('pre', 0, 1)]],
    ['<pre><code class="language-ts">a</code></pre>', 'a', [at('pre', 0, 1, { language: 'ts' })]],
    ['<code class="language-ts"><pre>a</pre></code>', 'a', [at('pre', 0, 1, { language: 'ts' })]],
    ['<pre>a<code class="language-ts">b</code></pre>', 'ab', [at('pre', 0, 2)]],
    ['<code class="language-ts">a</code>', 'a', [at('code', 0, 1)]],
    ['<blockquote>a</blockquote>', 'a', [at('blockquote', 0, 1)]],
    ['<blockquote expandable>a</blockquote>', 'a', [at('expandable_blockquote', 0, 1)]],
    ['<tg-emoji emoji-id="5368">👍</tg-emoji>', '👍', [at('custom_emoji', 0, 2, { custom_emoji_id: '5368' })]],
    ['<B>a</>', 'a', [at('bold', 0, 1)]],
    ['<b\n>a</b\t>', 'a', [at('bold', 0, 1)]],
    ['<b class=x id>a</b>', 'a', [at('bold', 0, 1)]],
    ['a<b></b>', 'a', []],
  ])('%s', (html, text, entities) => {
    expect(read(html)).toEqual({ text, entities })
  })

  it.each([
    ['http://example.org', 'http://example.org/'],
    ['HTTPS://Example.org:8443/Map?a=1&amp;b=%202#x', 'https://example.org:8443/Map?a=1&b=%202#x'],
    ['example.org?q', 'http://example.org/?q'],
    ['tg://resolve?domain=orderly', 'tg://resolve?domain=orderly'],
  ])('a link to %s', (href, url) => {
    expect(read(`<a href='${href}'>here</a>`).entities).toEqual([at('text_link', 0, 4, { url })])
  })

  it('a link without an address leads to its own text', () => {
    expect(read('<a>example.org/map</a>').entities).toEqual([at('text_link', 0, 15, { url: 'http://example.org/map' })])
  })

  it.each(['', 'nowhere', 'ftp://example.org', 'javascript:alert(1)', 'http://a b.org', '#top'])(
    'no link to %j',
    (href) => {
      expect(read(`<a href="${href}">here</a>`)).toEqual({ text: 'here', entities: [] })
    },
  )

  it('a link to a person is a mention', () => {
    expect(read('<a href="tg://user?id=11">Anna</a>').entities).toEqual([
      at('text_mention', 0, 4, { user: { id: 11 } }),
    ])
  })
})

describe('Characters', () => {
  it.each([
    ['&lt;b&gt; &amp;amp; &quot;', '<b> &amp; "'],
    ['&#60;&#x3c;&#x1F6B2;&#128690', '<<🚲🚲'],
    ['&lt', '<'],
    ['&nbsp;&apos;&LT;&#X3c;&;&#;&#x;&#0;&#x110000;&', '&nbsp;&apos;&LT;&#X3c;&;&#;&#x;&#0;&#x110000;&'],
    ['it\'s > 5 "here"', 'it\'s > 5 "here"'],
  ])('%s', (html, text) => {
    expect(read(html)).toEqual({ text, entities: [] })
  })

  it('are counted in UTF-16 units, and white space around the text is left out', () => {
    expect(read('  &#128690;🚲 <b>x\r\n&amp;y </b> ')).toEqual({ text: '🚲🚲 x\n&y', entities: [at('bold', 5, 4)] })
  })

  it('that are escaped come back as they were, with no entities', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(parseHtml(escapeHtml(text))).toEqual({ text, entities: [] })
      }),
    )
  })
})

interface Tagged {
  readonly tag: string
  readonly type: string
  readonly children: readonly (Tagged | string)[]
}

const TAGS = [
  ['b', 'bold'],
  ['strong', 'bold'],
  ['i', 'italic'],
  ['u', 'underline'],
  ['del', 'strikethrough'],
  ['tg-spoiler', 'spoiler'],
  ['span class="tg-spoiler"', 'spoiler'],
  ['code', 'code'],
  ['pre', 'pre'],
  ['blockquote', 'blockquote'],
  ['blockquote expandable', 'expandable_blockquote'],
  ['a href="https://example.org/?a=1&amp;b"', 'text_link'],
  ['tg-emoji emoji-id="1"', 'custom_emoji'],
] as const

const { tree } = fc.letrec<{ tree: Tagged['children']; node: Tagged | string }>((tie) => ({
  tree: fc.array(tie('node'), { maxLength: 4 }),
  node: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.tuple(fc.constantFrom(...TAGS), tie('tree')).map(([[tag, type], children]) => ({ tag, type, children })),
  ),
}))

const render = (children: Tagged['children']): string =>
  children
    .map((child) =>
      typeof child === 'string'
        ? escapeHtml(child)
        : `<${child.tag}>${render(child.children)}</${child.tag.split(' ')[0]}>`,
    )
    .join('')

const plain = (children: Tagged['children']): string =>
  children.map((child) => (typeof child === 'string' ? child : plain(child.children))).join('')

/** What the tags of a tree mean, in the order in which they close. */
function meaning(children: Tagged['children'], offset = 0): Entity[] {
  let start = offset
  return children.flatMap((child) => {
    const begin = start
    start += plain([child]).length
    if (typeof child === 'string') return []
    const own = { type: child.type, offset: begin, length: start - begin }
    return [...meaning(child.children, begin), ...(own.length > 0 ? [own] : [])]
  })
}

const bare = ({ type, offset, length }: Entity) => ({ type, offset, length })

const marks = ['bold', 'italic', 'underline', 'strikethrough', 'spoiler']

/** The marks on each unit of a text, by which two lists of entities look alike. */
const looks = (length: number, entities: readonly Entity[]) =>
  Array.from({ length }, (_, index) => {
    const around = entities.filter(({ offset, length: size }) => offset <= index && index < offset + size)
    const types = new Set(around.map(({ type }) => type))
    return types.has('code') || types.has('pre') ? [] : marks.filter((mark) => types.has(mark))
  })

const trees = tree.filter((children) => plain(children) !== '')

describe('Nesting', () => {
  it('of any tags gives the text, and each tag its place', () => {
    fc.assert(
      fc.property(trees, (children) => {
        const { text, entities } = parseHtml(render(children))

        expect(text).toBe(plain(children))
        expect(entities.map(bare)).toEqual(meaning(children))
      }),
    )
  })

  it.each([
    ['<b>a<i>b</i>c</b>', [at('bold', 0, 1), at('bold', 1, 2), at('italic', 1, 1)]],
    ['<b>a<b>b</b></b>', [at('bold', 0, 2)]],
    ['<b>a</b><i>b</i><b>c</b>', [at('bold', 0, 1), at('italic', 1, 1), at('bold', 2, 1)]],
    ['<b>a<code>b</code>c</b>', [at('bold', 0, 1), at('code', 1, 1), at('bold', 2, 1)]],
    ['<code>a<b>b</b></code>', [at('code', 0, 2)]],
    ['<i><b>ab</b></i>', [at('bold', 0, 2), at('italic', 0, 2)]],
    ['<blockquote>a<blockquote>b</blockquote></blockquote>', [at('blockquote', 0, 2)]],
    [
      '<b>a<a href="http://a.b/">b</a></b>',
      [at('bold', 0, 1), at('text_link', 1, 1, { url: 'http://a.b/' }), at('bold', 1, 1)],
    ],
  ])('%s', (html, entities) => {
    expect(read(html).entities).toEqual(entities)
  })

  it('keeps the looks of every character, whatever overlaps', () => {
    const entity = fc
      .tuple(fc.constantFrom(...marks, 'code', 'pre'), fc.nat(20), fc.integer({ min: 1, max: 10 }))
      .map(([type, offset, length]): Entity => ({ type, offset, length }))
    const apart = (entities: readonly Entity[]) =>
      settleEntities(entities.filter(({ type }) => !marks.includes(type))).map(bare)

    fc.assert(
      fc.property(fc.array(entity, { maxLength: 12 }), (entities) => {
        const shown = [...entities.filter(({ type }) => marks.includes(type)), ...apart(entities)]

        expect(looks(32, settleEntities(entities))).toEqual(looks(32, shown))
      }),
    )
  })

  it('ends sorted, without halves that overlap, and settled once and for all', () => {
    fc.assert(
      fc.property(trees, (children) => {
        const settled = settleEntities(parseHtml(render(children)).entities)

        expect(settleEntities(settled)).toEqual(settled)
        settled.forEach((one, index) => {
          for (const other of settled.slice(index + 1)) {
            const end = one.offset + one.length
            const isInside = other.offset >= one.offset && other.offset + other.length <= end
            expect(isInside || other.offset >= end).toBe(true)
          }
        })
      }),
    )
  })
})

/** What becomes of a text: Telegram's own refusal, or nothing to complain of. Anything else is thrown. */
function attempt(html: string): string {
  try {
    return typeof read(html).text === 'string' ? 'read' : 'lost'
  } catch (error) {
    if (error instanceof CallFailure) return 'refused'
    throw error
  }
}

describe('Whatever a text holds', () => {
  const signs = '< > / = " \' & . - ; # x 1 b a href span class <b> </b> </ &lt &#x'.split(' ')
  const tangled = fc.array(fc.constantFrom(' ', '\n', '\0', ...signs), { maxLength: 40 })

  it.each([
    ['any characters', fc.string({ unit: 'binary' })],
    ['what tags are made of', tangled.map((parts) => parts.join(''))],
  ])('of %s is read or refused', (_what, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(attempt(text)).toMatch(/^(read|refused)$/)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['signs', '<'],
    ['ampersands', '&'],
    ['numbers', '&#1'],
    ['open tags', '<b>'],
    ['empty tags', '<b></b>'],
    ['marks apart', '<b>x</b>y'],
    ['marks in turn', '<b>x</b><i>y</i>'],
    ['links', '<a href="a.b">x</a>'],
    ['returns', '<u>\r</u>\r'],
  ])('32 kB of %s take no more than an instant', (_what, piece) => {
    const startedAt = performance.now()
    attempt(piece.repeat(32_768 / piece.length))

    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it.each([
    ['attributes', `<a ${'b '.repeat(16_000)}>x</a>`],
    ['characters in an attribute', `<a href="${'&amp'.repeat(8000)}">x</a>`],
    ['periods in an address', `<a href="${'.'.repeat(32_000)} ">x</a>`],
    ['questions in an address', `<a href="tg:user?${'&'.repeat(32_000)}">x</a>`],
    ['links in one another', `${'<a>'.repeat(2000)}${'x.'.repeat(8000)}${'</a>'.repeat(2000)}`],
    ['tags in one another', `${'<b><i>'.repeat(2400)}x${'</i></b>'.repeat(2000)}`],
    ['links in bold', `<b>${'<a href="a.b">x</a>'.repeat(1700)}</b>`],
  ])('so do many %s', (_what, html) => {
    const startedAt = performance.now()
    attempt(html)

    expect(performance.now() - startedAt).toBeLessThan(1000)
  })
})
