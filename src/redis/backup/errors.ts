import { AppError } from '../../errors.ts'

/**
 * What kept a backup or a restore from being made, told apart by what a person does about it:
 *
 * - `BACKUP_UNFIT`: a server of a kind or version that cannot be copied this way, or that does not take a value.
 * - `BACKUP_FAILED`: the server could not save or hand over its dump. Nothing was left behind.
 * - `BACKUP_UNWRITABLE`: the folder cannot be written, or is too small. Nothing was left behind.
 * - `BACKUP_BROKEN`: the backup is not complete, not intact, or not readable here.
 * - `TARGET_NOT_EMPTY`: the target holds something. Nothing was changed.
 * - `TARGET_CHANGED`: somebody else wrote to the target. What was restored so far is there.
 * - `TARGET_TAKEN`: another run restores into the target, or has ended. This one stopped.
 * - `PROGRAM_MISSING`: a program of Redis is not installed here. Nothing was changed.
 */
export type BackupErrorCode =
  | 'BACKUP_UNFIT'
  | 'BACKUP_FAILED'
  | 'BACKUP_UNWRITABLE'
  | 'BACKUP_BROKEN'
  | 'TARGET_NOT_EMPTY'
  | 'TARGET_CHANGED'
  | 'TARGET_TAKEN'
  | 'PROGRAM_MISSING'

/** A backup or restore that ended without success. Its message never holds an address, a key or a value. */
export class BackupError extends AppError<BackupErrorCode> {
  override readonly name = 'BackupError'
}
