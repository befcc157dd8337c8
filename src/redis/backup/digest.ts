import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** What tells one file from another. */
export interface Digest {
  readonly sha256: string
  readonly bytes: number
}

/** Counts and hashes what goes through `pass`. */
export function createDigest() {
  const hash = createHash('sha256')
  let bytes = 0
  return {
    async *pass(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        hash.update(chunk)
        bytes += chunk.length
        yield chunk
      }
    },
    end: (): Digest => ({ sha256: hash.digest('hex'), bytes }),
  }
}

/** Reads a whole file. Throws what the system says. */
export async function digestOf(file: string, signal: AbortSignal): Promise<Digest> {
  const digest = createDigest()
  for await (const _ of digest.pass(createReadStream(file, { signal }))) continue
  return digest.end()
}
