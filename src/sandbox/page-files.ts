import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { StoredFile } from './bot-api/stand-in.ts'
import { FILES_PATH } from './page-state.ts'

const folder = new URL('./page/', import.meta.url)

const MIME_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** What a browser lets the page do: load its own files and talk to this server, nothing else. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The chat page at `/` and its files at `/sandbox/page/<file>`, read once. */
export function addPageFiles(app: FastifyInstance): void {
  for (const name of readdirSync(folder)) {
    const type = MIME_TYPES[extname(name)]
    if (type === undefined) continue
    const content = readFileSync(new URL(name, folder))
    app.get(name === 'index.html' ? '/' : `/sandbox/page/${name}`, (_request, reply) =>
      reply.headers({ 'content-type': type, 'content-security-policy': PAGE_POLICY }).send(content),
    )
  }
}

/**
 * The files that the bot sent, for people to look at: a photo as the picture it was found to be, anything else as a
 * download, which no browser runs.
 */
export function addSentFiles(app: FastifyInstance, find: (fileId: string) => StoredFile | undefined): void {
  app.get<{ Params: { id: string } }>(`${FILES_PATH}/:id`, (request, reply) => {
    const file = find(request.params.id)
    if (file === undefined) {
      return reply.code(404).send({ error: { code: 'NOT_FOUND', message: 'There is no such file any more.' } })
    }
    const isPhoto = file.kind === 'photo'
    return reply
      .headers({
        'content-type': isPhoto ? file.mimeType : 'application/octet-stream',
        'content-disposition': isPhoto ? 'inline' : `attachment; filename*=UTF-8''${encodeURIComponent(file.fileName)}`,
      })
      .send(file.bytes)
  })
}
