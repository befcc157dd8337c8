import { themes } from '../../src/charts/theme.ts'
import { usageChart } from '../../src/charts/usage-chart.ts'
import { usageFigures } from './usage-figures.ts'

/** Commands on the first twenty days of a November: fewer on weekends. */
const DAYS = [
  11_800, 17_700, 20_000, 18_200, 19_100, 17_400, 12_500, 11_400, 21_500, 22_100, 21_300, 19_700, 20_200, 13_800,
  13_000, 17_600, 17_900, 21_900, 21_300, 21_213,
]

/** The drawing that the documentation shows, made anew by `npx tsx scripts/usage-picture.ts`. */
export function usageExample(): string {
  const figures = usageFigures({
    now: 19.9,
    own: DAYS,
    cleanups: [2, 5, 8, 11, 14, 17, 20],
    forecast: { end: 539_000, low: 518_000, high: 561_000 },
  })
  return usageChart(figures, {
    title: '359\u202f613 of 500\u202f000 commands used (72\u202f%)',
    subtitle: 'Day 20 of 30. Forecast for 30 Nov: 539K (518K–561K), limit reached around 28 Nov',
    theme: themes.light,
  })
}
