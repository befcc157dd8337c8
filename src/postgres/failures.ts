import { DatabaseError, framesOf, type DatabaseErrorCode } from '../errors.ts'

/** Ways in which a driver's error code begins, and what they mean. PostgreSQL's are SQLSTATE, SQLite's its result codes. */
const MEANINGS: readonly (readonly [RegExp, DatabaseErrorCode, string])[] = [
  [/^28|^SQLITE_(AUTH|PERM)/, 'DATABASE_REFUSED', 'The database refused the credentials.'],
  [/^3D/, 'DATABASE_REFUSED', 'There is no database of that name.'],
  [
    /^42501|^SQLITE_READONLY/,
    'DATABASE_REFUSED',
    'The database user may not do that: it needs SELECT and DELETE on the tables, and TEMP.',
  ],
  [/^25006/, 'DATABASE_REFUSED', 'The database is read-only (a replica?). Use the primary.'],
  [
    /^(55P03|40P01|40001)|^SQLITE_(BUSY|LOCKED)/,
    'DATABASE_BUSY',
    'The database is locked by somebody else for too long. Try again later.',
  ],
  [/^(53|57P|08)|^SQLITE_(IOERR|FULL|CANTOPEN)/, 'DATABASE_UNREACHABLE', 'The database cannot serve at the moment.'],
  [/^SQLITE_(NOTADB|CORRUPT)/, 'DATABASE_UNKNOWN', 'The file is no readable SQLite database.'],
  [/^57014/, 'DATABASE_BUSY', 'A statement took longer than it may. Try again later.'],
  [/^23503/, 'DATABASE_REFUSED', 'Rows of another table refer to rows that were to go, and do not let them.'],
  // A SQLSTATE has a digit; a system's EPIPE has none.
  [/^(?=.*\d)[0-9A-Z]{5}$|^SQLITE_/, 'DATABASE_REFUSED', 'The database refused a statement.'],
]

/**
 * A driver's error as ours. Foreign texts may hold values, statements and addresses with passwords, so only the code is kept.
 */
export function databaseError(error: unknown): DatabaseError {
  const code = codeOf(error)
  const [, ours, text] = MEANINGS.find(([pattern]) => pattern.test(code)) ?? [
    /$/,
    'DATABASE_UNREACHABLE' as const,
    'The database is unreachable: the connection failed. Check address, password and sslmode.',
  ]
  const cause = error instanceof Error ? withoutValues(error, code) : undefined
  return new DatabaseError(ours, code === '' ? text : `${text.slice(0, -1)} (${code}).`, { cause })
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return ''
  return /^[A-Z0-9_]{1,40}$/.test(error.code) ? error.code : ''
}

function withoutValues(error: Error, code: string): Error {
  const bare = new Error([error.name, code].filter(Boolean).join(' '))
  bare.stack = [`Error: ${bare.message}`, ...framesOf(error).map((line) => `    ${line}`)].join('\n')
  return bare
}
