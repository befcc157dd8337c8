import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkAuditDatabase, checkInngestDatabase } from '../../src/cli/doctor-databases.ts'
import { readConfig } from '../../src/config.ts'
import { auditStoreOfEachTest } from '../support/audit-store.ts'
import { openSqliteTables } from '../support/inngest-sqlite.ts'

/** What comes of a look at an SQLite file. */
const lookAt = async (file: string) => {
  const { inngest } = readConfig({ INNGEST_DATABASE_URL: `sqlite:${file}` })
  if (inngest === undefined) throw new Error('There is no Inngest in this configuration.')
  return await checkInngestDatabase(inngest)
}

describe('the audit database', () => {
  const store = auditStoreOfEachTest()

  const look = async (more: Readonly<Record<string, string>> = {}) => {
    const { audit } = readConfig({ AUDIT_DATABASE_URL: 'postgres://u@127.0.0.1:1/audit', ...more })
    if (audit === undefined) throw new Error('There is no audit database in this configuration.')
    return await checkAuditDatabase(audit, () => store.open(store.url))
  }

  it('is well with the tables that the sweeps expect', async () => {
    expect(await look()).toEqual({ verdict: 'ok', detail: 'answers, and its tables are as expected', fix: null })
  })

  it('is worth a warning without a table that may be missing', async () => {
    await store.query('DROP TABLE error_aggregation')

    expect(await look()).toMatchObject({ verdict: 'warn', fix: expect.stringContaining('AUDIT_TABLES') })
  })

  it('fails without a table that must be there, by name', async () => {
    const AUDIT_TABLES = '{"alerts":{"table":"alarms"}}'

    await expect(look({ AUDIT_TABLES })).rejects.toThrow('The table alarms (alerts in AUDIT_TABLES) does not exist.')
  })
})

describe('the database of an Inngest', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orderly-doctor-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  it('is well with the tables that the sweep expects, and worth a warning where one is another', async () => {
    const file = join(folder, 'main.db')
    const tables = openSqliteTables(file)
    await tables.create()
    expect(await lookAt(file)).toMatchObject({
      verdict: 'ok',
      detail: expect.stringMatching(/^answers \(sqlite\), \d+ tables/),
    })

    await tables.run('DROP TABLE traces; CREATE TABLE traces (name text)')
    await tables.close()
    expect(await lookAt(file)).toMatchObject({ verdict: 'warn', detail: expect.stringContaining('Table traces') })
  })

  it('fails where it is another program’s', async () => {
    const file = join(folder, 'other.db')
    const tables = openSqliteTables(file)
    await tables.run('CREATE TABLE notes (text text)')
    await tables.close()

    await expect(lookAt(file)).rejects.toMatchObject({ code: 'DATABASE_UNKNOWN' })
  })
})
