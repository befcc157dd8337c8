// One picture, then this thread ends: in the main thread the renderer would keep hundreds of megabytes.
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { Resvg } from '@resvg/resvg-js'

const fontFiles = ['Inter-Regular.ttf', 'Inter-Bold.ttf'].map((name) =>
  fileURLToPath(new URL(`fonts/${name}`, import.meta.url)),
)

const { svg, width } = workerData
const drawing = new Resvg(svg, {
  fitTo: { mode: 'width', value: width },
  font: { loadSystemFonts: false, fontFiles, defaultFontFamily: 'Inter' },
})
// The renderer's memory belongs to the renderer: only bytes of our own can be handed over.
const png = Uint8Array.from(drawing.render().asPng())
parentPort.postMessage(png, [png.buffer])
