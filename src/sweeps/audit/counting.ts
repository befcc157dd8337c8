import { DatabaseError } from '../../errors.ts'

/** Waits for a count; undefined when it took too long, which must not keep rows from going. They are counted as they go. */
export async function countedInTime<Counts>(count: Promise<Counts>): Promise<Counts | undefined> {
  try {
    return await count
  } catch (error) {
    if (error instanceof DatabaseError && isTooLong(error)) return undefined
    throw error
  }
}

/** Whether the server ended a statement for its time. Of a table that somebody has locked nothing would go either. */
const isTooLong = ({ code, message }: DatabaseError) => code === 'DATABASE_BUSY' && message.includes('(57014)')
