/** The colours of a picture, as `#rrggbb`. Nothing else differs between a light and a dark one. */
export interface Theme {
  readonly background: string
  /** The title and the labels that stand for a figure. */
  readonly strong: string
  /** Everything else that is written. */
  readonly muted: string
  readonly grid: string
  /** The line that bars stand on. */
  readonly axis: string
  /** What was used, and the forecast. */
  readonly line: string
  /** Between the forecast's low and high end. */
  readonly band: string
  readonly limit: string
  /** Commands by Orderly on a day. */
  readonly own: string
  /** Commands by others on that day. */
  readonly others: string
  readonly cleanup: string
  /** Strokes over days that nobody counted. */
  readonly unknown: string
}

/** Text keeps a contrast of at least 4.5 to 1 against the background, lines, marks and Orderly's own bars one of 3 to 1. */
export const themes = {
  light: {
    background: '#ffffff',
    strong: '#0f172a',
    muted: '#5b6478',
    grid: '#e4e6ea',
    axis: '#5b6478',
    line: '#1d4ed8',
    band: '#dbe4fa',
    limit: '#c81e1e',
    own: '#5b8def',
    others: '#b9c9ea',
    cleanup: '#12873f',
    unknown: '#c6cad3',
  },
  dark: {
    background: '#111827',
    strong: '#f8fafc',
    muted: '#a8b2c4',
    grid: '#293244',
    axis: '#a8b2c4',
    line: '#7da6ff',
    band: '#26385f',
    limit: '#ff7b72',
    own: '#5b8def',
    others: '#39507f',
    cleanup: '#4cc779',
    unknown: '#475166',
  },
} as const satisfies Readonly<Record<string, Theme>>
