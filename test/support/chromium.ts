import { join } from 'node:path'
import { isExecutable } from './executable.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** The browser of this machine; undefined where there is none. */
export const chromiumPath: string | undefined = (process.env['PATH'] ?? '')
  .split(':')
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find(isExecutable)
