import { randomUUID } from 'node:crypto'
import { link, open, rm, stat } from 'node:fs/promises'
import { InputError } from '../errors.ts'

/** Adds to a file. */
export type Write = (piece: string | Uint8Array) => Promise<void>

/**
 * Makes a new file, readable by its owner only, of what `fill` writes. It gets a name of its own first, so that a file of the
 * wanted name is always complete and never replaced.
 *
 * @throws InputError where the file exists, before `fill` is called, or cannot be written; and what `fill` throws.
 */
export async function writeNewFile(file: string, fill: (write: Write) => Promise<void>): Promise<void> {
  if (await exists(file)) throw new InputError(EXISTS)
  const part = `${file}.${randomUUID()}.part`
  try {
    const handle = await open(part, 'wx', 0o600)
    try {
      await fill((piece) => handle.appendFile(piece))
    } finally {
      await handle.close()
    }
    await link(part, file)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error
    if (error.code === 'EEXIST') throw new InputError(EXISTS)
    const message = `The file could not be written (${String(error.code)}). Check its folder and the room left.`
    throw new InputError(message, { cause: error })
  } finally {
    await rm(part, { force: true }).catch(() => undefined)
  }
}

const exists = async (file: string) => (await stat(file).catch(() => undefined)) !== undefined

const EXISTS = 'The file exists already, and is never overwritten. Choose another name.'
