/** What no provider bills, and what a connection says of itself. */
const FREE = new Set(['AUTH', 'CLIENT', 'COMMAND', 'CONFIG', 'HELLO', 'INFO', 'PING', 'QUIT', 'RESET', 'SELECT'])

/** Of a server's own counts those that a provider would bill, by name. */
export const billedIn = (stats: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(stats).filter(([name]) => !FREE.has(name)))

/** The sum of counts. */
export const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)
