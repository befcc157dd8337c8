import { listOf, textOf, ask, type Transport } from './transport.ts'

/** Keys that one SCAN looks at. Upstash looks at about 1 000 whatever it is told. */
const KEYS_PER_SCAN = 1_000

export interface ScanOptions {
  /** Glob pattern of wanted keys; all keys without one. The server looks at every key of the database all the same. */
  readonly match?: string
}

/**
 * The keys of the database, page by page; a page may be empty and a key may come twice. Costs 1 command per 1 000 keys of
 * the whole database. The next page is on its way while the consumer works on the current one.
 *
 * A key that exists during the whole scan is found, unless the server restarted in between.
 *
 * @throws RedisError when a page failed.
 */
export async function* scanPages(send: Transport, { match }: ScanOptions = {}): AsyncGenerator<readonly string[]> {
  const page = async (cursor: string): Promise<Page> => {
    const options = match === undefined ? [] : ['MATCH', match]
    const [next, keys] = listOf(await ask(send, ['SCAN', cursor, ...options, 'COUNT', KEYS_PER_SCAN]))
    return { next: textOf(next ?? null), keys: listOf(keys ?? null).map(textOf) }
  }
  let coming: Promise<Page> | undefined = page('0')
  try {
    while (coming !== undefined) {
      const { next, keys }: Page = await coming
      coming = next === '0' ? undefined : page(next)
      // A failure is thrown by the `await` above; until then it must not count as unhandled.
      coming?.catch(() => undefined)
      yield keys
    }
  } finally {
    // Whoever stops early must not leave a request running behind its back.
    await coming?.catch(() => undefined)
  }
}

/** Whether a key's bytes are no UTF-8: it was decoded with replacement characters, so no command can name it. */
export const isMangled = (key: string): boolean => key.includes('\ufffd')

interface Page {
  readonly next: string
  readonly keys: readonly string[]
}
