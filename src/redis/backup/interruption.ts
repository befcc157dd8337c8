import { InterruptedError } from '../../errors.ts'
import { openBinary, type BinaryConnection, type BinaryTarget } from '../binary.ts'

/** Milliseconds that a server may still take for its answer once the person has pressed Ctrl-C. */
const PATIENCE_MS = 2_000

/** Uses a connection and closes it. A server that does not answer keeps nobody waiting who has pressed Ctrl-C. */
export async function withBinary<Result>(
  target: BinaryTarget,
  signal: AbortSignal,
  use: (connection: BinaryConnection) => Promise<Result>,
): Promise<Result> {
  const connection = await openBinary(target)
  let timer: NodeJS.Timeout | undefined
  const begin = () => {
    timer = setTimeout(connection.close, PATIENCE_MS)
  }
  signal.addEventListener('abort', begin, { once: true })
  if (signal.aborted) begin()
  try {
    return await use(connection)
  } finally {
    signal.removeEventListener('abort', begin)
    clearTimeout(timer)
    connection.close()
  }
}

/** Runs work; whatever it throws once the person has pressed Ctrl-C is their interruption. @throws InterruptedError */
export async function interruptibly<Result>(
  signal: AbortSignal,
  message: () => string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!signal.aborted || error instanceof InterruptedError) throw error
    throw new InterruptedError(message())
  }
}
