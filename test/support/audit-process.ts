import { connectPostgres } from '../../src/postgres/connect.ts'
import { createAuditRig } from './audit-rig.ts'

// A process of its own, for a time zone of its own: sweeps alerts and errors of the database whose address it is given.
const rig = createAuditRig({ store: { url: process.argv[2] ?? '', open: connectPostgres } })
const [alerts, errors] = [await rig.alerts(), await rig.errors()]
const offset = new Date('2026-03-29T04:00:00Z').getTimezoneOffset()
process.stdout.write(JSON.stringify({ offset, outcomes: [alerts.outcome, errors.outcome] }))
