import { Buffer } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { TextDecoder } from 'node:util'
import { AppError, InputError, InterruptedError, RedisError } from '../errors.ts'
import { ORDER_PREFIX, orderKey } from '../redis/keys.ts'
import type { Command, Transport } from '../redis/transport.ts'
import { encodeEntries, isStoredObject, type Entry, type StoredObject } from './entries.ts'
import type { OrderId } from './order.ts'

/** One line of an export: an order's key, its stored text, and the seconds until Redis drops it (null for never). */
export interface OrderLine {
  readonly key: string
  readonly value: string
  readonly ttlSeconds: number | null
}

/** What an import did. */
export interface Imported {
  readonly imported: number
  /** Keys that were there before; never overwritten. */
  readonly existing: number
}

/** An import that ended early. Nothing is half done: importing the same file again adds what is missing. */
export class ImportStoppedError extends AppError {
  override readonly name = 'ImportStoppedError'
  readonly soFar: Imported

  constructor(cause: AppError, soFar: Imported) {
    super(cause.code, `${cause.message} Imported so far: ${soFar.imported}. Import the file again to go on.`, { cause })
    this.soFar = soFar
  }
}

export interface ImportOptions {
  readonly signal: AbortSignal
  /** The largest file that is taken. @default any */
  readonly mostBytes?: number
  readonly onProgress?: (soFar: Imported) => void
}

/** Sizes of one request. */
const MOST_LINES = 500
const MOST_BYTES = 1_000_000

/** How many bad lines an error names. */
const MOST_PROBLEMS = 10

/**
 * Stores the orders of a JSON lines file. Every line is checked before the first is stored. Costs 1 command an order.
 *
 * @throws InputError naming the bad lines; nothing was stored.
 * @throws ImportStoppedError when Redis failed or it was interrupted on the way.
 */
export async function importLines(
  send: Transport,
  file: string,
  { signal, onProgress, mostBytes = Infinity }: ImportOptions,
): Promise<Imported> {
  await checkSize(file, mostBytes)
  await checkFile(file)
  let soFar: Imported = { imported: 0, existing: 0 }
  try {
    for await (const batch of batchesOf(file)) {
      if (signal.aborted) throw new InterruptedError('Interrupted.')
      soFar = await store(send, batch, soFar)
      onProgress?.(soFar)
    }
    return soFar
  } catch (error) {
    throw error instanceof AppError && !(error instanceof ImportStoppedError)
      ? new ImportStoppedError(error, soFar)
      : error
  }
}

async function store(send: Transport, batch: readonly OrderLine[], before: Imported): Promise<Imported> {
  const { refused, ...added } = await storeBatch(send, batch)
  const soFar = { imported: before.imported + added.imported, existing: before.existing + added.existing }
  if (refused !== undefined) throw new ImportStoppedError(refused, soFar)
  return soFar
}

/** The line of an order that was made up here: the order as received, then its entries, and no expiry. */
export const neverExpiring = (id: OrderId, received: StoredObject, entries: readonly Entry[]): OrderLine => ({
  key: orderKey(id),
  value: JSON.stringify(received) + encodeEntries(entries),
  ttlSeconds: null,
})

/**
 * Stores at most 500 lines in one request, and overwrites none that is there. Costs 1 command a line.
 *
 * @throws RedisError when the request failed or a line was refused; the other lines may be stored.
 */
export async function storeLines(send: Transport, lines: readonly OrderLine[]): Promise<Imported> {
  const { refused, ...stored } = await storeBatch(send, lines)
  if (refused !== undefined) throw refused
  return stored
}

async function storeBatch(
  send: Transport,
  batch: readonly OrderLine[],
): Promise<Imported & { readonly refused: RedisError | undefined }> {
  const replies = await send(batch.map(setCommand))
  return {
    imported: replies.filter((reply) => reply === 'OK').length,
    existing: replies.filter((reply) => reply === null).length,
    refused: replies.find((reply) => reply instanceof RedisError),
  }
}

const setCommand = ({ key, value, ttlSeconds }: OrderLine): Command =>
  ttlSeconds === null ? ['SET', key, value, 'NX'] : ['SET', key, value, 'NX', 'EX', ttlSeconds]

/** A file is read twice, so a pipe will not do. */
async function checkSize(file: string, mostBytes: number): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    throw unreadableFile(error)
  })
  if (found.isDirectory()) throw new InputError('The file is a folder.')
  if (!found.isFile()) throw new InputError('The file must be a regular file, for it is read twice.')
  if (found.size > mostBytes) throw new InputError(`The file is larger than ${mostBytes / 1_000_000} MB.`)
}

async function checkFile(file: string): Promise<void> {
  const problems: string[] = []
  const lineOfKey = new Map<string, number>()
  for await (const { text, number } of linesOf(file)) {
    if (text.trim() === '') continue
    const line = readLine(text)
    const earlier = typeof line === 'string' ? undefined : lineOfKey.get(line.key)
    if (typeof line === 'string') problems.push(`line ${number}: ${line}`)
    else if (earlier !== undefined) problems.push(`line ${number}: has the same key as line ${earlier}`)
    else lineOfKey.set(line.key, number)
  }
  if (problems.length === 0) return
  const shown = problems.slice(0, MOST_PROBLEMS)
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : []
  throw new InputError(['Nothing was imported, for the file has bad lines:', ...shown, ...more].join('\n  '))
}

async function* batchesOf(file: string): AsyncGenerator<readonly OrderLine[]> {
  let batch: OrderLine[] = []
  let bytes = 0
  for await (const { text, number } of linesOf(file)) {
    if (text.trim() === '') continue
    const line = readLine(text)
    if (typeof line === 'string')
      throw new InputError(`The file changed while it was imported: line ${number} ${line}.`)
    batch.push(line)
    bytes += Buffer.byteLength(text)
    if (batch.length < MOST_LINES && bytes < MOST_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

/** A line's order, or what is wrong with it, without any of its values. */
function readLine(text: string): OrderLine | string {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return 'is no JSON'
  }
  if (!isStoredObject(line)) return 'is no JSON object'
  const { key, value, ttlSeconds = null, ...rest } = line
  if (typeof key !== 'string' || !key.startsWith(ORDER_PREFIX) || key === ORDER_PREFIX) {
    return `"key" must be text that begins with ${ORDER_PREFIX}`
  }
  if (typeof value !== 'string') return '"value" must be text'
  if (ttlSeconds !== null && !(typeof ttlSeconds === 'number' && Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 1)) {
    return '"ttlSeconds" must be null or a whole number from 1 on'
  }
  if (Object.keys(rest).length > 0) return 'has fields besides "key", "value" and "ttlSeconds"'
  return { key, value, ttlSeconds }
}

interface NumberedLine {
  readonly text: string
  readonly number: number
}

/** No order is larger: Redis providers take requests of 10 MB. */
const MOST_LINE_UNITS = 50_000_000

/** The lines of a UTF-8 file. Memory is bounded by the longest line. */
async function* linesOf(file: string): AsyncGenerator<NumberedLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let unfinished: string[] = []
  let units = 0
  let number = 0
  const finish = (end: string): NumberedLine => {
    const text = [...unfinished, end].join('')
    unfinished = []
    units = 0
    number += 1
    return { text, number }
  }
  try {
    for await (const chunk of createReadStream(file)) {
      const pieces = decoder.decode(chunk as Buffer, { stream: true }).split('\n')
      const last = pieces.pop() ?? ''
      for (const piece of pieces) yield finish(piece)
      unfinished.push(last)
      units += last.length
      if (units > MOST_LINE_UNITS) throw new InputError(`Line ${number + 1} of the file is too long to be an order.`)
    }
    yield finish(decoder.decode())
  } catch (error) {
    throw unreadableFile(error)
  }
}

function unreadableFile(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return new InputError('The file does not exist.')
  if (code === 'EISDIR') return new InputError('The file is a folder.')
  if (code === 'EACCES') return new InputError('The file may not be read.')
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return new InputError('The file is not UTF-8 text.')
  return typeof code === 'string' && error instanceof Error && 'syscall' in error
    ? new InputError(`The file could not be read (${code}).`, { cause: error })
    : error
}
