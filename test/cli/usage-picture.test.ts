import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createPainter } from '../../src/charts/painter.ts'
import { writePicture } from '../../src/cli/usage-picture.ts'
import { aBudgetReport, anUncertainReport } from '../support/budget-report.ts'

describe('the picture of the usage', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orderly-picture-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  })

  it.each([
    ['known', aBudgetReport()],
    ['uncertain', anUncertainReport({ days: [] })],
  ])('is a PNG, 1 280 wide, of a report in which everything is %s', async (_, report) => {
    const file = join(folder, 'usage.png')

    await writePicture(file, { report })

    const png = readFileSync(file)
    expect(png.subarray(0, 8).toString('latin1')).toBe('\u0089PNG\r\n\u001a\n')
    expect(png.readUInt32BE(16)).toBe(1_280)
  })

  it('is not there at all where the renderer fails, and the error says what to do', async () => {
    const painter = createPainter({ worker: pathToFileURL(join(folder, 'none.mjs')) })

    await expect(writePicture(join(folder, 'usage.png'), { report: aBudgetReport(), painter })).rejects.toMatchObject({
      code: 'NO_PICTURE',
      message: expect.stringContaining('npm ci'),
    })
    expect(readdirSync(folder)).toEqual([])
  })
})
