import { createReadStream } from 'node:fs'
import type { Entry } from './entries.ts'
import { BackupError } from './errors.ts'
import { parseLine, type Line } from './logical-line.ts'

/** The keys of a logical dump, in its order. Throws what the system says. @throws BackupError `BACKUP_BROKEN` */
export async function* entriesIn(file: string): AsyncGenerator<Entry> {
  for await (const line of linesIn(file)) if (line.kind === 'entry') yield line.entry
}

/** The libraries of functions of a logical dump, which stand before its keys. */
export async function librariesIn(file: string): Promise<readonly { readonly code: Buffer }[]> {
  const found: { readonly code: Buffer }[] = []
  for await (const line of linesIn(file)) {
    if (line.kind !== 'library') break
    found.push(line)
  }
  return found
}

const LINE_FEED = 0x0a

async function* linesIn(file: string): AsyncGenerator<Line> {
  const chunks: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: 1_000_000 })
  // A line may be much longer than a chunk, so its pieces are put together only once.
  let pieces: Buffer[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      yield parseLine(Buffer.concat([...pieces, chunk.subarray(start, end)]))
      pieces = []
      start = end + 1
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  }
  if (pieces.length > 0)
    throw new BackupError('BACKUP_BROKEN', 'The logical dump ends within a line. Use another backup.')
}
