import { createPainter, type Painter } from '../charts/painter.ts'
import { themes } from '../charts/theme.ts'
import { usageChart } from '../charts/usage-chart.ts'
import { AppError } from '../errors.ts'
import type { BudgetReport } from '../redis/budget/budget-report.ts'
import { headline, subline } from '../redis/budget/sentences.ts'
import { writeNewFile } from './new-file.ts'

/** Nothing could be drawn; the figures are known all the same. */
class NoPictureError extends AppError<'NO_PICTURE'> {
  override readonly name = 'NoPictureError'

  constructor() {
    super('NO_PICTURE', 'No picture was made: @resvg/resvg-js failed or took too long. Run npm ci, or try it again.')
  }
}

export interface UsagePicture {
  readonly report: BudgetReport
  /** Stopped afterwards. @default one of its own */
  readonly painter?: Painter
}

/**
 * Draws where the budget stands into a new PNG file, complete or not there at all.
 *
 * @throws InputError where the file exists or cannot be written, NoPictureError where nothing can be drawn.
 */
export async function writePicture(file: string, { report, painter = createPainter() }: UsagePicture): Promise<void> {
  try {
    await writeNewFile(file, async (write) => {
      const svg = usageChart(report, { title: headline(report), subtitle: subline(report), theme: themes.light })
      const picture = await painter.paint(svg)
      if (picture === undefined) throw new NoPictureError()
      await write(picture)
    })
  } finally {
    await painter.stop()
  }
}
