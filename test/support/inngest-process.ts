import { createInngestRig, type InngestRigOptions } from './inngest-rig.ts'
import type { SweepReport } from '../../src/sweeps/report.ts'
import type { SweepRequest } from '../../src/sweeps/sweep.ts'

/** What a process of the sweep is told. */
export interface SweepTask {
  readonly options: Omit<InngestRigOptions, 'aroundSql' | 'aroundRedis'>
  readonly request?: Partial<SweepRequest>
  /** Stops for good after so many DELETE statements, in the midst of a transaction. */
  readonly hangAfterDeletions?: number
}

/** What it says: once that it hangs, or its report. */
export type SweepSays =
  { readonly hangs: true } | { readonly hangs: false; readonly report: SweepReport; readonly offset: number }

// Run as a process of its own.
if (process.argv[2] !== undefined) await serve(JSON.parse(process.argv[2]))

async function serve({ options, request, hangAfterDeletions = Infinity }: SweepTask): Promise<void> {
  let deletions = 0
  const rig = createInngestRig({
    ...options,
    aroundSql: (sql) => ({
      ...sql,
      query: async (text, values) => {
        const answer = await sql.query(text, values)
        if (text.startsWith('DELETE')) deletions += 1
        if (deletions < hangAfterDeletions) return answer
        say({ hangs: true })
        // A promise alone keeps no process alive.
        setInterval(() => undefined, 60_000)
        return await new Promise<never>(() => undefined)
      },
    }),
  })
  const { report } = await rig.sweep(request)
  await rig.close()
  say({ hangs: false, report, offset: new Date().getTimezoneOffset() })
}

function say(words: SweepSays): void {
  console.log(JSON.stringify(words))
}
