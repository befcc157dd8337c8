import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { createEngine } from '../src/engine/engine.ts'
import { decodePayload } from '../src/engine/payloads.ts'
import { codeIn, documentText, tableRows } from './support/markdown.ts'

const page = documentText('docs/audit.md')
const url = 'postgres://127.0.0.1:1/audit'

const codesIn = (cell: string | undefined) => [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code]) => code)

describe('docs/audit.md', () => {
  it('names the tables and columns that are expected unless others are configured', () => {
    const { tables } = readConfig({ AUDIT_DATABASE_URL: url }).audit ?? {}

    expect(tableRows(page, 'table').map(([table, columns]) => [codeIn(table), codesIn(columns)])).toEqual(
      Object.entries(tables ?? {}).map(([name, { columns }]) => [name, Object.values(columns)]),
    )
  })

  it('shows an AUDIT_TABLES that is taken', () => {
    const [, example = ''] = /```json\n([^`]*)```/.exec(page) ?? []

    expect(readConfig({ AUDIT_DATABASE_URL: url, AUDIT_TABLES: example }).audit?.tables).toMatchObject({
      organization: { table: 'tenants', columns: { id: 'id' } },
      alerts: { table: 'audit.alert', columns: { id: 'id', resolved_at: 'closed_at' } },
    })
  })

  it('names the variables with the defaults of docs/configuration.md', () => {
    const all = new Map(
      tableRows(documentText('docs/configuration.md'), 'variable').map(([name, value]) => [
        codeIn(name),
        codeIn(value),
      ]),
    )
    for (const [name, value] of tableRows(page, 'variable')) {
      expect([codeIn(name), codeIn(value)]).toEqual([codeIn(name), all.get(codeIn(name)) ?? 'unknown'])
    }
  })

  it('names every function of an Inngest', async () => {
    const config = readConfig({ AUDIT_DATABASE_URL: url, INNGEST_APP_ID: 'orderly', INNGEST_DEV: '1' })
    const log = pino({ level: 'silent' })
    const app = await createApp(config, log)
    onTestFinished(app.close)
    if (config.engine === undefined) throw new Error('There is no engine.')
    const engine = await createEngine({
      config: config.engine,
      audit: config.audit,
      sweeps: app.sweeps,
      organizations: app.organizations,
      schedules: (['orders', 'inngest'] as const).map((name) => ({
        name,
        cron: { pattern: '0 0 * * *', zone: 'UTC' },
        runDue: async () => undefined,
      })),
      origin: undefined,
      log,
      clock: () => 0,
      announce: () => undefined,
    })
    onTestFinished(engine.stop)

    expect(tableRows(page, 'function').map(([name]) => codeIn(name))).toEqual(engine.functionIds)
  })

  it('shows events that are taken', () => {
    const kinds = ['alerts', 'errors', 'requested'] as const

    const shown = tableRows(page, 'event').map(([, data]) => JSON.parse(codeIn(data)) as unknown)

    expect(shown.map((data, at) => decodePayload(kinds[at] ?? 'alerts', data))).toEqual(shown)
  })

  it('quotes messages that Orderly really says', () => {
    const folder = join(import.meta.dirname, '../src')
    const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(folder, path), 'utf8'))
      .join('\n')
    const said = tableRows(page, 'the report says').map(([text]) => codeIn(text))

    expect(said.length).toBeGreaterThan(5)
    for (const text of said) {
      const literal = text.replace('300', '${deadlineMs / 1_000}')
      expect([text, source.includes(literal)]).toEqual([text, true])
    }
  })
})
