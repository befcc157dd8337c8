/** The current instant in milliseconds since the epoch. Everything that needs the time is handed one. */
export type Clock = () => number

/** The real clock, and the only place that reads it. */
export const systemClock: Clock = () => Date.now()
