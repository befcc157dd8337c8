/** A sample as a scrape holds it. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What a scrape holds: the type of each metric, and its samples. */
export interface Scrape {
  readonly types: Readonly<Record<string, string>>
  readonly samples: readonly Sample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"`

/**
 * Reads the text format of Prometheus, version 0.0.4, and is as strict as its description: each line one of HELP, TYPE and a
 * sample, a line feed at the end, the TYPE of a metric before its samples, all of them together, none twice.
 */
export function parseScrape(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('The last line has no end.')
  const types: Record<string, string> = {}
  const samples: Sample[] = []
  const seen = new Set<string>()
  let current = ''
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, keyword, subject = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? []
    if (keyword === 'TYPE') {
      if (subject in types) throw new Error(`A second TYPE: ${line}`)
      if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest)) throw new Error(`No type: ${line}`)
      types[subject] = rest
      current = subject
    } else if (keyword === undefined) {
      const sample = parseSample(line)
      if (sample.name !== current) throw new Error(`A sample outside of its metric: ${line}`)
      const identity = JSON.stringify([
        sample.name,
        Object.entries(sample.labels).toSorted(([a], [b]) => a.localeCompare(b)),
      ])
      if (seen.has(identity)) throw new Error(`A sample twice: ${line}`)
      seen.add(identity)
      samples.push(sample)
    }
  }
  return { types, samples }
}

function parseSample(line: string): Sample {
  const [, name, labels = '', value] =
    new RegExp(`^(${NAME})(?:\\{((?:${LABEL},?)*)\\})? (\\S+)$`).exec(line)?.filter((_, at) => at < 3 || at === 5) ?? []
  const number = Number(value)
  if (name === undefined || Number.isNaN(number)) throw new Error(`No sample: ${line}`)
  const pairs = [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([, label = '', text = '']) => [label, plain(text)])
  return { name, labels: Object.fromEntries(pairs), value: number }
}

const plain = (text: string) => text.replaceAll(/\\(["\\n])/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
