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

/** A list whose items are still coming. */
interface OpenList {
  readonly items: RawReply[]
  readonly length: number
}

/** Cuts a stream of bytes into replies. Each byte is read once, however large the reply that it belongs to. */
function createParser(emit: (reply: RawReply) => void): (chunk: Buffer) => void {
  const lists: OpenList[] = []
  let chunks: Buffer[] = []
  let bytesWaiting = 0
  let bytesWanted = 0
  // A reply goes to the innermost open list; a list that this completes goes to the one around it.
  const place = (reply: RawReply) => {
    let complete: RawReply | undefined = reply
    while (complete !== undefined) {
      const list = lists.at(-1)
      if (list === undefined) return emit(complete)
      list.items.push(complete)
      complete = list.items.length === list.length ? lists.pop()?.items : undefined
    }
  }

  return (chunk) => {
    chunks.push(chunk)
    bytesWaiting += chunk.length
    if (bytesWaiting < bytesWanted) return
    const bytes = Buffer.concat(chunks)
    let start = 0
    let token = readToken(bytes, start)
    while (typeof token !== 'number') {
      if ('length' in token) lists.push({ items: [], length: token.length })
      else place(token.reply)
      start = token.end
      token = readToken(bytes, start)
    }
    chunks = [bytes.subarray(start)]
    bytesWaiting = bytes.length - start
    bytesWanted = token - start
  }
}

type Token = { readonly end: number } & ({ readonly reply: RawReply } | { readonly length: number })

/** One reply, or the head of a list that has items, and where it ends; or where it ends at the earliest. */
function readToken(bytes: Buffer, start: number): Token | number {
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
      return Number(line) > 0 ? { length: Number(line), end } : { reply: line === '0' ? [] : null, end }
    default:
      throw new Error('This is no RESP2 reply.')
  }
}

function readBulk(bytes: Buffer, start: number, length: number): Token | number {
  if (length === -1) return { reply: null, end: start }
  const end = start + length + 2
  return bytes.length < end ? end : { reply: Buffer.from(bytes.subarray(start, end - 2)), end }
}
