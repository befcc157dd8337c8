// Draws docs/usage.png anew: npx tsx scripts/usage-picture.ts
import { writeFileSync } from 'node:fs'
import { createPainter } from '../src/charts/painter.ts'
import { usageExample } from '../test/support/usage-example.ts'

const painter = createPainter({ onDefect: (error) => console.error(error) })
const picture = await painter.paint(usageExample())
if (picture === undefined) process.exitCode = 1
else writeFileSync(new URL('../docs/usage.png', import.meta.url), picture)
