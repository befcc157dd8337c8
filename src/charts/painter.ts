import { Worker } from 'node:worker_threads'
import { AppError } from '../errors.ts'
import { createTurns } from '../turns.ts'

/** Makes pictures of drawings. */
export interface Painter {
  /** A drawing as PNG, 1280 wide, in the order asked for. Undefined when no picture can be made; never rejects. */
  paint(svg: string): Promise<Buffer | undefined>
  /** Ends what runs and refuses everything else. */
  stop(): Promise<void>
}

export interface PainterOptions {
  /** Told when a picture cannot be made, and not again before one could be. */
  readonly onDefect?: (error: PictureError) => void
  /** Milliseconds for one picture. @default 10 000 */
  readonly deadlineMs?: number
  /** The file that a thread runs. @default the renderer */
  readonly worker?: URL
}

/** No picture could be made. Whatever it was for works without one. */
export class PictureError extends AppError<'NO_PICTURE'> {
  override readonly name = 'PictureError'

  constructor(why: string, options?: ErrorOptions) {
    super('NO_PICTURE', `No picture was made: ${why} What it shows is told as text.`, options)
  }
}

const PICTURE_WIDTH = 1_280
const DEADLINE_MS = 10_000
const MOST_WAITING = 20

/** Within which a thread that was told to end has ended, if it can. */
const GRACE_MS = 1_000

/** For the scripts of one thread; what the renderer takes beside them is a few megabytes. */
const HEAP = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 }

const RENDERER = new URL('./render-worker.mjs', import.meta.url)

/**
 * A painter that renders in a thread of its own for each picture, one at a time: up to 20 wait, more get none. Rendering never
 * holds up the main thread, and its memory goes with the thread.
 */
export function createPainter({ onDefect, deadlineMs = DEADLINE_MS, worker = RENDERER }: PainterOptions = {}): Painter {
  const inTurn = createTurns()
  let [waiting, isStopped, isDefect] = [0, false, false]
  const threads = new Set<Worker>()

  const open = (svg: string): Worker => {
    const options = {
      workerData: { svg, width: PICTURE_WIDTH },
      resourceLimits: HEAP,
      env: {},
      execArgv: [],
      stderr: true,
    }
    const thread = new Worker(worker, options)
    threads.add(thread)
    return thread.once('exit', () => threads.delete(thread))
  }
  const render = async (svg: string): Promise<Buffer | undefined> => {
    // A thread that hangs in the renderer cannot be ended: no second one joins it.
    if (isStopped || threads.size > 0) return undefined
    try {
      const png = await pictureFrom(open(svg), deadlineMs)
      isDefect = false
      return png
    } catch (error) {
      if (!isStopped && !isDefect) onDefect?.(error instanceof PictureError ? error : noThread(error))
      isDefect = true
      return undefined
    }
  }

  return {
    paint: (svg) => {
      if (isStopped || waiting > MOST_WAITING) return Promise.resolve(undefined)
      waiting += 1
      return inTurn(() => render(svg)).finally(() => (waiting -= 1))
    },
    stop: async () => {
      isStopped = true
      for (const thread of threads) void thread.terminate()
      await inTurn(async () => undefined)
    },
  }
}

const noThread = (cause: unknown) => new PictureError('no thread could be started.', { cause })

/** What a thread sends, once it has ended. @throws PictureError where it fails, ends without or takes too long */
function pictureFrom(thread: Worker, deadlineMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let picture: Buffer | undefined
    let failure = new PictureError('the renderer ended without one.')
    const deadline = setTimeout(() => {
      failure = new PictureError('rendering took too long.')
      void thread.terminate()
      setTimeout(() => reject(failure), GRACE_MS).unref()
    }, deadlineMs)
    thread
      .once('message', (message: unknown) => {
        if (isPng(message)) picture = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
        void thread.terminate()
      })
      .once('error', (cause) => (failure = new PictureError('the renderer failed.', { cause })))
      .once('exit', () => {
        clearTimeout(deadline)
        if (picture === undefined) reject(failure)
        else resolve(picture)
      })
  })
}

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

const isPng = (message: unknown): message is Uint8Array =>
  message instanceof Uint8Array && SIGNATURE.equals(message.subarray(0, SIGNATURE.length))
