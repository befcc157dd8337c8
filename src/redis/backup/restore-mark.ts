import { randomUUID } from 'node:crypto'
import { binaryValueOf, isRefused, type BinaryConnection } from '../binary.ts'
import { restoreKey } from '../keys.ts'
import { BackupError } from './errors.ts'

/** The mark that one run puts on its target: the checksum of the backup, and a token that is this run's alone. */
export const markOf = ({ sha256 }: { readonly sha256: string }): string => `${sha256} ${randomUUID()}`

/** Whether a mark is one of the same backup, of whatever run. */
export const isMarkOf = (mark: string | undefined, { sha256 }: { readonly sha256: string }): boolean =>
  mark?.split(' ')[0] === sha256

/**
 * Watches the mark of a target, so that the next transaction comes to nothing once it is changed, and resolves with it;
 * undefined where there is none. Leaves the connection at database 0. Costs 2 commands.
 */
export async function watchMark(connection: BinaryConnection): Promise<string | undefined> {
  const [selected = null, watched = null, reply = null] = await connection.send([
    ['SELECT', 0],
    ['WATCH', restoreKey],
    ['GET', restoreKey],
  ])
  for (const one of [selected, watched]) binaryValueOf(one)
  if (isRefused(reply) && reply.error.code !== 'REDIS_WRONG_TYPE') throw reply.error
  return Buffer.isBuffer(reply) ? reply.toString('latin1') : undefined
}

/** Marks a target whose mark is watched. Costs 3 commands. @throws BackupError `TARGET_TAKEN` when it was marked since. */
export async function setMark(connection: BinaryConnection, mark: string): Promise<void> {
  const replies = await connection.transact([['SET', restoreKey, mark]])
  if (replies === undefined) throw takenOver()
  for (const reply of replies) binaryValueOf(reply)
}

/**
 * Watches the mark and makes sure that it is still the one of this run. Costs 2 commands.
 *
 * @throws BackupError `TARGET_TAKEN`
 */
export async function keepMark(connection: BinaryConnection, mark: string): Promise<void> {
  const found = await watchMark(connection)
  if (found === undefined) throw new BackupError('TARGET_TAKEN', GONE)
  if (found !== mark) throw takenOver()
}

/** Removes a mark that is watched. Costs 3 commands. @throws BackupError `TARGET_TAKEN` when it was changed since. */
export async function dropMark(connection: BinaryConnection): Promise<void> {
  const replies = await connection.transact([['UNLINK', restoreKey]])
  if (replies === undefined) throw takenOver()
  for (const reply of replies) binaryValueOf(reply)
}

/** For a run whose mark was changed. */
export const takenOver = () =>
  new BackupError(
    'TARGET_TAKEN',
    'Another run of a restore has taken over the target, so this one stopped. Leave it to that one, and change nothing in the target.',
  )

const GONE =
  'The mark of this restore is gone from the target: another run has completed it, or somebody emptied the target. This run stopped. The target may be in use, so look at it before you do anything.'
