import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPainter, type Painter, type PictureError } from '../../src/charts/painter.ts'
import { themes } from '../../src/charts/theme.ts'
import { usageChart } from '../../src/charts/usage-chart.ts'
import { usageExample } from '../support/usage-example.ts'
import { usageFigures } from '../support/usage-figures.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

const chart = (title: string) =>
  usageChart(usageFigures({ now: 3, own: [1, 2, 3] }), { title, subtitle: '', theme: themes.light })

/** A worker that runs a script with `svg`, and `send(text)` for something that passes for a picture. */
const workerOf = (script: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort, workerData } from 'node:worker_threads'
      const { svg } = workerData
      const send = (text) => parentPort.postMessage(Uint8Array.from(Buffer.from('\\x89PNG\\r\\n\\x1a\\n' + text, 'latin1')))
      ${script}`)}`,
  )

const textOf = (picture: Buffer | undefined) => picture?.subarray(8).toString()

const painters: Painter[] = []
const told: PictureError[] = []

/** A painter that is stopped after the test. */
function painterOf(script?: string, deadlineMs?: number): Painter {
  const painter = createPainter({
    onDefect: (error) => told.push(error),
    ...(script !== undefined && { worker: workerOf(script) }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  })
  painters.push(painter)
  return painter
}

beforeEach(() => {
  told.length = 0
})

afterEach(async () => {
  await Promise.all(painters.splice(0).map((painter) => painter.stop()))
})

describe('the painter', () => {
  it('makes a PNG of 1280 by 890 with the texts in it', async () => {
    const painter = painterOf()
    const [one, other] = await Promise.all([painter.paint(chart('One')), painter.paint(chart('Other'))])

    expect(one?.subarray(0, 4).toString('latin1')).toBe('\x89PNG')
    expect([one?.readUInt32BE(16), one?.readUInt32BE(20)]).toEqual([1_280, 890])
    expect(one?.equals(other ?? Buffer.alloc(0))).toBe(false)
    expect(told).toEqual([])
  })

  it('makes the same one from the build, and lets the process end', async () => {
    const script = `
      import { createPainter } from ${JSON.stringify(join(root, 'dist/charts/painter.js'))}
      const painter = createPainter({ onDefect: (error) => console.error(error) })
      process.stdout.write((await painter.paint(process.argv[1])).toString('base64'))`
    const drawing = chart('Built')
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script, drawing], {
      cwd: root,
    })

    expect(stderr).toBe('')
    expect(Buffer.from(stdout, 'base64').equals((await painterOf().paint(drawing)) ?? Buffer.alloc(0))).toBe(true)
  })

  // Other processors round other fractions.
  it.runIf(`${process.platform} ${process.arch}` === 'linux x64')('makes the picture in docs/usage.png', async () => {
    const shown = await readFile(join(root, 'docs/usage.png'))

    expect((await painterOf().paint(usageExample()))?.equals(shown)).toBe(true)
  })

  it('works on one picture at a time, in the order asked for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'orderly-painter-'))
    const log = join(folder, 'log')
    const painter = painterOf(`
      import { appendFileSync } from 'node:fs'
      const note = (text) => appendFileSync(${JSON.stringify(log)}, text)
      note('<' + svg)
      setTimeout(() => { note('>'); send(svg) }, 20)`)
    const pictures = await Promise.all(['a', 'b', 'c', 'd'].map((svg) => painter.paint(svg)))

    expect(pictures.map(textOf)).toEqual(['a', 'b', 'c', 'd'])
    expect(await readFile(log, 'utf8')).toBe('<a><b><c><d>')
    await rm(folder, { recursive: true })
  })

  it('lets 20 wait and has no picture for more, without calling that a defect', async () => {
    const painter = painterOf('send(svg)')
    const pictures = await Promise.all(Array.from({ length: 30 }, (_, at) => painter.paint(`${at}`)))

    expect(pictures.map((one) => one !== undefined)).toEqual(Array.from({ length: 30 }, (_, at) => at < 21))
    expect(textOf(await painter.paint('again'))).toBe('again')
    expect(told).toEqual([])
  })

  it.each([
    ['fails', 'throw new Error("secret")'],
    ['is not there', 'await import("no-such-renderer")'],
    ['ends without a picture', ''],
    ['kills its thread', 'process.exit(0)'],
    ['sends something else', 'parentPort.postMessage("picture")'],
    ['sends too little', 'parentPort.postMessage(new Uint8Array(3))'],
    ['takes more memory than it may', 'const kept = []; for (;;) kept.push(new Array(1e5).fill({}))'],
  ])('has no picture where the renderer %s, and says so once', async (_, script) => {
    const painter = painterOf(script)

    expect(await Promise.all([painter.paint('a'), painter.paint('b')])).toEqual([undefined, undefined])
    expect(told.map(({ code }) => code)).toEqual(['NO_PICTURE'])
    expect(told[0]?.message).not.toContain('secret')
  })

  it('has no picture at the deadline of a renderer that never ends, and goes on', async () => {
    const endless = ['setInterval(() => {}, 1_000)', 'for (;;);']
    const pictures = endless.flatMap((script) => {
      const painter = painterOf(`if (svg === 'bad') { ${script} } else send(svg)`, 5_000)
      return [painter.paint('bad'), painter.paint('good')]
    })

    expect((await Promise.all(pictures)).map(textOf)).toEqual([undefined, 'good', undefined, 'good'])
    expect(told.map(({ message }) => message)).toEqual(Array(2).fill(expect.stringContaining('too long')))
  })

  it('tells of a defect again after a picture could be made', async () => {
    const painter = painterOf('if (svg === "bad") throw new Error("bad"); else send(svg)')
    for (const svg of ['bad', 'bad', 'good', 'bad']) await painter.paint(svg)

    expect(told).toHaveLength(2)
  })

  it('ends what runs when it is stopped, and paints no more', async () => {
    const painter = painterOf('for (;;);')
    const pictures = [painter.paint('a'), painter.paint('b')]
    // The first one has begun when its thread has been asked for.
    await Promise.resolve()
    await painter.stop()

    expect(await Promise.all([...pictures, painter.paint('c')])).toEqual([undefined, undefined, undefined])
    expect(told).toEqual([])
  })

  it('lets its threads see nothing of the environment', async () => {
    const painter = painterOf('send(JSON.stringify(process.env))')

    expect(textOf(await painter.paint('a'))).toBe('{}')
  })
})
