import { z } from 'zod'
import { BackupError } from './errors.ts'

/** The file of each kind of backup: the server's own dump, or one line a key. */
export const backupFiles = { rdb: 'dump.rdb', logical: 'dump.txt' } as const

export type BackupKind = keyof typeof backupFiles

/** The file beside it that says what it is. */
export const MANIFEST_FILE = 'manifest.json'

const count = z.number().int().min(0)

const schema = z.strictObject({
  format: z.literal(1),
  kind: z.enum(['rdb', 'logical']),
  file: z.enum(['dump.rdb', 'dump.txt']),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: count,
  /** Keys in the file, read from the file itself; null where nobody here could read it. */
  keys: count.nullable(),
  expiring: count.nullable(),
  databases: z
    .array(z.strictObject({ database: count, keys: count, expiring: count }).readonly())
    .readonly()
    .nullable(),
  serverVersion: z.string().regex(/^[\w.+-]{1,40}$/),
  /** Memory that the data took in the server; null where it told none. */
  memoryBytes: count.nullable(),
  startedAt: z.iso.datetime({ offset: true }),
  finishedAt: z.iso.datetime({ offset: true }),
  orderly: z.string().max(40),
})

/** What a backup is: no address, no host, no secret. Times are ISO with ms. */
export type Manifest = Readonly<z.infer<typeof schema>>

/** The text of `manifest.json`. */
export const encodeManifest = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`

/** Reads the text of a `manifest.json`. @throws BackupError `BACKUP_BROKEN` */
export function parseManifest(text: string): Manifest {
  const parsed = schema.safeParse(jsonOf(text))
  if (!parsed.success || backupFiles[parsed.data.kind] !== parsed.data.file) {
    const message = `${MANIFEST_FILE} is not one that this version of Orderly wrote or knows. Use another backup.`
    throw new BackupError('BACKUP_BROKEN', message)
  }
  return parsed.data
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
