import { AppError } from '../errors.ts'

/** Some parts of a run failed while the others were completed. */
export class PartsFailedError extends AppError<'PARTS_FAILED'> {
  override readonly name = 'PartsFailedError'

  /** `parts` says how many and which, `cure` what becomes of them. */
  constructor(parts: string, cure = 'The next run completes them.') {
    super('PARTS_FAILED', `${parts} failed; see the parts of the report. ${cure}`)
  }
}
