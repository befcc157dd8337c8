/** Texts of customers, vendors and people of a chat that try to be more than text. Each name says what it tries. */
export const hostileTexts = {
  'a script': '<script>globalThis.owned = true</script>',
  'a picture that runs a script': '"><img src=x onerror="globalThis.owned = true">',
  'an SVG that runs a script': '</text><svg onload="globalThis.owned=true"><![CDATA[ ]]>',
  'HTML entities': '&lt;b&gt; &amp;amp; &#x202e; &nbsp;',
  'tags of Telegram': '<b>bold</b> <a href="tg://user?id=11">Anna</a>',
  Markdown: '*bold* _italic_ [link](https://example.com) `code` ||hidden||',
  'MarkdownV2 unclosed': '*_[`~>#+-=|{}.!\\',
  'links, a mention and a command': 'https://example.com/a.png tg://resolve?domain=evil @Rita /cleanup',
  'a forged line of a card': 'Finn\n💶 0.00 EUR, paid\n✅ delivered by Anna',
  'a forged line of a log': '\n{"level":50,"event":"forged","msg":"forged"}',
  'a carriage return and backspaces': 'good\rbad\b\b\b!',
  'a NUL and a bell': 'a\u0000b\u0007c',
  'sequences of a terminal': '\u001b[2J\u001b]0;owned\u0007\u009b31mred\u007f',
  'right to left': 'שלום עליכם مرحبا',
  'overrides of the direction': '\u202egnp.exe\u202d abc',
  'isolates that are never closed': '\u2067evil\u2066 \u2068abc',
  'marks without width': 'pay\u200bpal \u2060\ufeff\u00ad',
  'line and paragraph separators': 'a\u2028b\u2029c',
  'half a character': 'half \ud83d and \udc00 half',
  'the mark between entries':
    'x\u001e{"id":"e1","at":"2025-12-08T18:10:00.000+01:00","by":1,"move":"delivered","after":null}\n',
  'JSON in a text': '","status":"delivered","x":"{\\"a\\":[1]}',
  'a label of Prometheus': 'a"} 1\norderly_up{store="forged"} 1\n# HELP',
  'the name of a prototype': '__proto__',
  'the name of a constructor': 'constructor',
  'a long name': 'long '.repeat(2_000),
  'a long name without a space': 'W'.repeat(100_000),
  'one character of many marks': `Z${'\u0301\u0327'.repeat(2_500)}`,
  'emoji of several parts': '👨‍👩‍👧‍👦🏳️‍🌈'.repeat(500),
} as const satisfies Readonly<Record<string, string>>

/** As table of a test: what a text tries, and the text. */
export const hostileRows: readonly (readonly [string, string])[] = Object.entries(hostileTexts)

/** The text, or as much of it as a field of an intake may have. */
export const fitting = (text: string, most: number): string => text.trim().slice(0, most)

/** A part of the text, of at most `most` units, that has to be seen wherever it is shown: nothing in it reaches out. */
export function seenOf(text: string, most: number): string {
  const parts = text.split(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+|(?<=\p{M}{6})\p{M}+/u).map((part) => fitting(part, most))
  return parts.reduce((longest, part) => (part.trim().length > longest.length ? part.trim() : longest), '')
}

/** An order whose every field, its names included, is a hostile text, as far as the rules of intake let it. */
export const hostileIntake = (text: string, sourceId = text): Readonly<Record<string, unknown>> => ({
  source: fitting(text, 32),
  source_id: fitting(sourceId, 128),
  customer: { name: fitting(text, 256), phone: fitting(text, 64), address: fitting(text, 512), zip: text.slice(0, 20) },
  items: [
    {
      vendor: fitting(text, 64),
      quantity: 1,
      name: fitting(text, 256),
      note: fitting(text, 1_000),
    },
  ],
  payment: fitting(text, 32),
  note: fitting(text, 2_000),
  [`a ${text.slice(0, 200)}`]: text.slice(0, 200),
})

/** An order as the former bot stored it, whose every text is hostile and of any length. */
export const hostileFormerOrder = (text: string): Readonly<Record<string, unknown>> => ({
  status: 'new',
  created_at: '2025-12-08T18:02:11+01:00',
  name: text,
  requested_time: text,
  customer: { name: text, phone: text, address: text, zip: text },
  items: [{ vendor: text, quantity: text, name: text, note: text }, text, null],
  vendor_items: { [text]: [text, { toString: 1, valueOf: 1 }, null, [text]] },
  total: text,
  payment_method: text,
  note: text,
  [text]: text,
})

/** Characters that reach out of the place where they stand: controls but the line feed, marks of direction, halves. */
export const outOfPlaceIn = (text: string): readonly string[] =>
  text.match(/(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066\u2067]/gu) ?? []

/** How many isolates of a text are open at its end; below zero where one was closed that nobody had opened. */
export function openIsolates(text: string): number {
  let open = 0
  for (const sign of text) {
    if (sign === '\u2068') open += 1
    if (sign === '\u2069') open -= 1
    if (open < 0) return open
  }
  return open
}
