import type { App } from '../app.ts'
import { InputError } from '../errors.ts'
import { exportOrders } from '../orders/export.ts'
import { importLines, ImportStoppedError, type Imported } from '../orders/import.ts'
import { isoInstant } from '../calendar.ts'
import { parseOrderId, timeOfId } from '../orders/order.ts'
import { timeOfReceived } from '../orders/order-time.ts'
import type { Account } from '../redis/meter.ts'
import type { Io } from './io.ts'
import { writeNewFile } from './new-file.ts'
import { storeWarnings, withApp } from './open-app.ts'
import { createProgress } from './progress.ts'
import { failed, type CommandResult } from './result.ts'
import { columns, counted, printable } from './text.ts'

/** `orderly orders export <file>`: a new JSON lines file, readable by its owner only, complete or not there at all. */
export async function exportCommand(file: string, io: Io): Promise<CommandResult> {
  return await withAccount(io, async (app, account) => {
    const counts = { exported: 0, leftOut: 0, inexact: 0 }
    const progress = createProgress(io, app.clock)
    await writeNewFile(file, async (write) => {
      for await (const { lines, leftOut, inexact } of exportOrders(account.send, io.signal)) {
        await write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
        counts.exported += lines.length
        counts.leftOut += leftOut
        counts.inexact += inexact
        progress.show(`${counted(counts.exported, 'order')} exported`)
      }
    })
    progress.clear()
    return {
      data: { file, ...counts },
      text: `Exported ${counted(counts.exported, 'order')}. The file holds customers' data: keep it safe.`,
      error: null,
      warnings: [
        ...storeWarnings(app),
        ...(counts.leftOut > 0
          ? [
              `${counted(counts.leftOut, 'key')} under order: hold no text, or have a name that is none, and were left out.`,
            ]
          : []),
        ...(counts.inexact > 0
          ? [`${counted(counts.inexact, 'order')} may hold bytes that are no UTF-8; check them.`]
          : []),
      ],
    }
  })
}

/** `orderly orders import <file>`: adds what is missing and overwrites nothing. */
export async function importCommand(file: string, io: Io): Promise<CommandResult> {
  return await withAccount(io, async (app, account) => {
    const progress = createProgress(io, app.clock)
    const onProgress = ({ imported }: Imported) => progress.show(`${counted(imported, 'order')} imported`)
    try {
      const done = await importLines(account.send, file, { signal: io.signal, onProgress })
      const existing =
        done.existing > 0 ? ` ${counted(done.existing, 'key')} existed already and stayed as they were.` : ''
      const text = `Imported ${counted(done.imported, 'order')}.${existing}`
      return { data: { file, ...done }, text, error: null, warnings: storeWarnings(app) }
    } catch (error) {
      if (!(error instanceof ImportStoppedError)) throw error
      return { ...failed(error), data: { file, ...error.soFar } }
    } finally {
      progress.clear()
    }
  })
}

/** `orderly orders show <id>`: one order as its entries make it, with its history. */
export async function showCommand(idText: string, io: Io): Promise<CommandResult> {
  return await withAccount(io, async (app) => {
    const id = parseOrderId(idText)
    const order = await app.orders.read(id)
    if (order === undefined) {
      throw new InputError('There is no such order, or its value is no order.')
    }
    const orderTimeMs = timeOfId(id, app.clock()) ?? timeOfReceived(order.facts, app.config.zone)
    const orderTime = orderTimeMs === undefined ? null : isoInstant(orderTimeMs, app.config.zone)
    const rows = order.history.map(({ at, by, kind, from, to, applied }) =>
      [at ?? '-', String(by ?? '-'), kind, [from, to].filter(Boolean).join(' -> '), applied ? '' : 'void'].map((cell) =>
        printable(cell),
      ),
    )
    return {
      data: { id, status: order.status, orderTime, order: order.facts, history: order.history },
      text: [
        `Order ${printable(id)}: ${printable(order.status ?? 'no status')}, ${orderTime ?? 'time unreadable'}`,
        ...Object.entries(order.facts).map(
          ([name, value]) => `  ${printable(name)}: ${printable(JSON.stringify(value), 500)}`,
        ),
        ...(rows.length > 0 ? ['History:', columns(rows)] : []),
      ].join('\n'),
      error: null,
      warnings: storeWarnings(app),
    }
  })
}

/** Runs a command that spends on orders, and tells what it spent even when it fails. */
async function withAccount(
  io: Io,
  work: (app: App, account: Account) => Promise<CommandResult>,
): Promise<CommandResult> {
  return await withApp(io, async (app) => {
    const account = app.meter.open('orders')
    const result = await work(app, account).catch((error: unknown) => failed(error))
    return { ...result, cost: app.meter.cost() }
  })
}
