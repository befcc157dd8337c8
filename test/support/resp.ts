import { createConnection, type Socket } from 'node:net'

/** A raw reply with its bytes; an error reply stands as its text. */
export type RawReply = Buffer | number | null | { readonly error: string } | readonly RawReply[]

/** A connection that speaks RESP2 and nothing else: what the drivers under test are compared with. */
export interface RespConnection {
  /** Writes the commands in one piece and resolves with their replies. Rejects when the connection breaks. */
  call(commands: readonly (readonly (string | number)[])[]): Promise<readonly RawReply[]>
  /** False from the moment the connection is broken or closed. */
  readonly isOpen: boolean
  close(): void
}

interface Waiting {
  readonly count: number
  readonly replies: RawReply[]
  readonly resolve: (replies: readonly RawReply[]) => void
  readonly reject: (error: Error) => void
}

/** Connects to `redis://[user[:password]@]host:port[/db]`. Logs in and selects before it resolves. */
export async function openResp(url: string): Promise<RespConnection> {
  const { hostname, port, username, password, pathname } = new URL(url)
  const socket = createConnection({ host: hostname, port: Number(port || 6379) })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const connection = speak(socket)
  const hello: string[][] = []
  if (password !== '') hello.push(['AUTH', ...(username === '' ? [] : [username]), decodeURIComponent(password)])
  if (pathname.length > 1) hello.push(['SELECT', pathname.slice(1)])
  for (const reply of await connection.call(hello)) {
    if (isErrorReply(reply)) throw new Error(reply.error)
  }
  return connection
}

/** Whether a raw reply is an error reply. */
export const isErrorReply = (reply: RawReply): reply is { readonly error: string } =>
  typeof reply === 'object' && reply !== null && 'error' in reply

/** A raw reply with its bytes read as UTF-8. */
export const textReply = (reply: RawReply): unknown => {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return Array.isArray(reply) ? reply.map(textReply) : reply
}

function speak(socket: Socket): RespConnection {
  const waiting: Waiting[] = []
  let failure: Error | undefined
  const parse = createParser((reply) => {
    const [first] = waiting
    first?.replies.push(reply)
    if (first !== undefined && first.replies.length === first.count) waiting.shift()?.resolve(first.replies)
  })
  const fail = () => {
    failure = new Error('The connection to Redis is closed.')
    for (const { reject } of waiting.splice(0)) reject(failure)
  }
  socket.on('data', parse).on('error', fail).on('close', fail)

  return {
    call: (commands) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure)
        if (commands.length === 0) return resolve([])
        waiting.push({ count: commands.length, replies: [], resolve, reject })
        socket.write(Buffer.concat(commands.map(encode)))
      }),
    get isOpen() {
      return failure === undefined
    },
    close: () => socket.destroy(),
  }
}

function encode(words: readonly (string | number)[]): Buffer {
  const parts = words.flatMap((word) => {
    const bytes = Buffer.from(String(word))
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]
  })
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts])
}

/** Cuts a stream of bytes into replies. Reads the whole rest again when a reply is not complete yet. */
function createParser(emit: (reply: RawReply) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = []
  let wanted = 0
  return (chunk) => {
    chunks.push(chunk)
    if (chunks.reduce((sum, { length }) => sum + length, 0) < wanted) return
    let rest = Buffer.concat(chunks)
    for (let read = readReply(rest, 0); ; read = readReply(rest, 0)) {
      if (typeof read === 'number') {
        wanted = read
        break
      }
      emit(read.reply)
      rest = rest.subarray(read.end)
    }
    chunks = [rest]
  }
}

/** One reply and where it ends, or the number of bytes that are needed at least. */
function readReply(bytes: Buffer, start: number): { readonly reply: RawReply; readonly end: number } | number {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd === -1) return bytes.length + 1
  const line = bytes.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case '+':
      return { reply: Buffer.from(line), end }
    case '-':
      return { reply: { error: line }, end }
    case ':':
      return { reply: Number(line), end }
    case '$':
      return readBulk(bytes, end, Number(line))
    case '*':
      return readList(bytes, end, Number(line))
    default:
      throw new Error('This is no RESP2 reply.')
  }
}

function readBulk(bytes: Buffer, start: number, length: number) {
  if (length === -1) return { reply: null, end: start }
  const end = start + length + 2
  return bytes.length < end ? end : { reply: Buffer.from(bytes.subarray(start, end - 2)), end }
}

function readList(bytes: Buffer, start: number, length: number) {
  if (length === -1) return { reply: null, end: start }
  const items: RawReply[] = []
  let end = start
  while (items.length < length) {
    const read = readReply(bytes, end)
    if (typeof read === 'number') return read
    items.push(read.reply)
    end = read.end
  }
  return { reply: items, end }
}
