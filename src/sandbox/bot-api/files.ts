import type { UploadedFile } from './arguments.ts'
import type { ImageSize } from './image-size.ts'
import type { StoredFile } from './world.ts'

/** The files that the bot uploaded. All in memory. */
export interface FileStore {
  /** Keeps an upload under a new id: as a photo if there is a size, else as a document. */
  add(upload: UploadedFile, photo?: ImageSize): StoredFile
  find(fileId: string): StoredFile | undefined
  /** Finds a file by the path that `pathOf` gives. */
  findByPath(path: string): StoredFile | undefined
  /** Such as `photos/file_3.png`; a name by which nobody can leave a folder. */
  pathOf(file: StoredFile): string
}

export interface FileStoreOptions {
  /** Bytes of all files together, beyond which the oldest are dropped. @default 200 MiB */
  readonly most?: number
}

const MOST_BYTES = 200 * 1024 * 1024

/** A document's and a photo's ids begin as they do at Telegram, which makes them easy to tell apart. */
const PREFIXES = { document: 'BQACAgIAAxkDAAI', photo: 'AgACAgIAAxkDAAI' }

const GONE = Buffer.alloc(0)

/**
 * Creates an empty store. A file that was dropped is not found any more, and where a message still shows it, its `bytes`
 * are empty. The latest file is always kept.
 */
export function createFileStore({ most = MOST_BYTES }: FileStoreOptions = {}): FileStore {
  const kept = new Map<string, { readonly file: StoredFile; readonly path: string; readonly bytes: Buffer }>()
  const idsByPath = new Map<string, string>()
  let [count, total] = [0, 0]

  const drop = (fileId: string) => {
    const entry = kept.get(fileId)
    if (entry === undefined) return
    kept.delete(fileId)
    idsByPath.delete(entry.path)
    total -= entry.bytes.length
  }

  return {
    add: (upload, photo) => {
      const number = ++count
      const kind = photo === undefined ? 'document' : 'photo'
      const fileId = `${PREFIXES[kind]}${String(number).padStart(10, '0')}`
      const file: StoredFile = {
        kind,
        fileId,
        fileName: upload.fileName,
        mimeType: photo?.mimeType ?? upload.mimeType,
        size: upload.bytes.length,
        get bytes() {
          return kept.get(fileId)?.bytes ?? GONE
        },
        ...(photo !== undefined && { width: photo.width, height: photo.height }),
      }
      const ending = photo?.ending ?? endingOf(upload.fileName)
      const path = `${kind}s/file_${number}${ending === '' ? '' : `.${ending}`}`
      total += file.size
      for (const id of kept.keys()) {
        if (total <= most) break
        drop(id)
      }
      kept.set(fileId, { file, path, bytes: upload.bytes })
      idsByPath.set(path, fileId)
      return file
    },
    find: (fileId) => kept.get(fileId)?.file,
    findByPath: (path) => kept.get(idsByPath.get(path) ?? '')?.file,
    pathOf: ({ fileId }) => kept.get(fileId)?.path ?? '',
  }
}

const endingOf = (fileName: string) => /\.([a-z0-9]{1,10})$/i.exec(fileName)?.[1]?.toLowerCase() ?? ''
