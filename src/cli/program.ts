import { Argument, Command, CommanderError } from 'commander'
import { sweepNames, type SweepName } from '../sweeps/registry.ts'
import { addInngest } from './inngest-program.ts'
import type { Io } from './io.ts'
import { addRedis } from './redis-program.ts'
import { asOf, examples, fileName, maxCommands, wholeNumber, withJson, type RunCommand } from './program-parts.ts'
import { failed, type CommandResult } from './result.ts'
import type { SweepOptions } from './sweep.ts'
import type { UsageOptions } from './usage.ts'

/** How a call of the CLI ended: a command's result, or a text that commander had to say. */
export type Parsed =
  | { readonly kind: 'result'; readonly command: string | null; readonly result: CommandResult }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'wrong-use'; readonly message: string }

/** Parses the arguments and runs the command that they name. Throws what the command throws. */
export async function runProgram(args: readonly string[], version: string, io: Io): Promise<Parsed> {
  let said = ''
  let ran: Parsed | undefined
  const say = (text: string) => void (said += text)
  const run: RunCommand = async (command, work) => {
    ran = { kind: 'result', command, result: await work.catch(failed) }
  }
  const program = createProgram({ version, io, run, say })
  try {
    const [first, topic, ...rest] = args
    const isKnown = topic === undefined || program.commands.some((command) => command.name() === topic)
    const asked = first === 'help' ? args.slice(1).concat(isKnown && rest.length < 2 ? '--help' : []) : args
    await program.parseAsync(asked, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const isAsked = error.exitCode === 0 || args.length === 0
    return isAsked ? { kind: 'text', text: said } : { kind: 'wrong-use', message: said || error.message }
  }
  return ran ?? { kind: 'text', text: said }
}

interface ProgramOptions {
  readonly version: string
  readonly io: Io
  readonly run: RunCommand
  readonly say: (text: string) => void
}

/** Each command imports what it needs when it is called, so that `--version` and `--help` answer at once. */
function createProgram({ version, io, run, say }: ProgramOptions): Command {
  const program = withJson(new Command('orderly'))
    .description("Keeps a delivery business's order store small, and counts every Redis command that this costs.")
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: say, writeErr: say })
    .showHelpAfterError('Add --help for the options and an example.')
    .addHelpText('after', examples('orderly sweep orders', 'orderly sweep orders --apply', 'orderly redis-check'))
  addSweep(program, io, run)
  addSchedule(program, io, run)
  addUsage(program, io, run)
  addDoctor(program, io, run)
  addRedisCheck(program, io, run)
  addRedis(program, io, run)
  addInngest(program, io, run)
  addOrders(program, io, run)
  return program
}

function addSweep(program: Command, io: Io, run: RunCommand): void {
  withJson(program.command('sweep'))
    .description('show what a sweep would delete, or delete it with --apply')
    .addArgument(new Argument('<name>', 'which sweep').choices(sweepNames))
    .option(
      '--days <n>',
      "days to keep (default: RETENTION_DAYS; the chat's bare /cleanup keeps 1; for inngest INNGEST_RETENTION_DAYS, for errors ERROR_RETENTION_DAYS, for alerts what each organization says, for bullmq BULLMQ_COMPLETED_AGE and BULLMQ_FAILED_AGE, for executions EXECUTIONS_MAX_AGE_DAYS, all from 1 on)",
      wholeNumber(0, 365),
    )
    .addOption(asOf())
    .option('--apply', 'delete; without it nothing is changed')
    .addOption(maxCommands())
    .option('--organization <id>', 'alerts only: look at those of this organization')
    .option('--queue <name>', 'bullmq only: look at this queue')
    .option(
      '--file <export>',
      'orders only: try it on a copy of an exported file in memory, not on the configured Redis',
    )
    .addHelpText(
      'after',
      examples(
        'orderly sweep orders --days 2',
        'orderly sweep orders --days 2 --apply',
        'orderly sweep orders --as-of 2025-12-08T21:00:00+01:00 --json',
        'orderly sweep inngest --days 30',
        'orderly sweep alerts --organization acme',
        'orderly sweep bullmq --queue mails',
      ),
    )
    .action(async (name: SweepName, options: SweepOptions) => {
      const { sweepCommand } = await import('./sweep.ts')
      await run(`sweep ${name}`, sweepCommand(name, options, io))
    })
}

function addSchedule(program: Command, io: Io, run: RunCommand): void {
  withJson(program.command('schedule'))
    .description('tell when each sweep runs next, and what came of its last run (1 command each)')
    .option('--count <n>', 'how many slots to show (default: 5)', wholeNumber(1, 1_000))
    .addHelpText('after', examples('orderly schedule', 'orderly schedule --count 10 --json'))
    .action(async (options: { count?: number }) => {
      const { scheduleCommand } = await import('./schedule.ts')
      await run('schedule', scheduleCommand(options, io))
    })
}

function addUsage(program: Command, io: Io, run: RunCommand): void {
  withJson(program.command('usage'))
    .description("tell where the month's command budget stands and where it will end (1 to 4 commands)")
    .option('--png <file>', 'draw it into a new file, too; it must not exist', fileName)
    .addHelpText('after', examples('orderly usage', 'orderly usage --png usage.png', 'orderly usage --json'))
    .action(async (options: UsageOptions) => {
      const { usageCommand } = await import('./usage.ts')
      await run('usage', usageCommand(options, io))
    })
}

function addDoctor(program: Command, io: Io, run: RunCommand): void {
  withJson(program.command('doctor'))
    .description(
      'look at everything that is configured, and name for each failure what puts it right (1 to 25 commands)',
    )
    .addHelpText('after', examples('orderly doctor', 'orderly doctor --json'))
    .action(async () => {
      const { doctorCommand } = await import('./doctor.ts')
      await run('doctor', doctorCommand(io))
    })
}

function addRedisCheck(program: Command, io: Io, run: RunCommand): void {
  withJson(program.command('redis-check'))
    .description('tell whether each configured Redis answers, how fast, and what is in it (1 command per 1000 keys)')
    .addHelpText('after', examples('orderly redis-check', 'orderly redis-check --json'))
    .action(async () => {
      const { redisCheckCommand } = await import('./redis-check.ts')
      await run('redis-check', redisCheckCommand(io))
    })
}

function addOrders(program: Command, io: Io, run: RunCommand): void {
  const orders = withJson(program.command('orders'))
    .description('export, import or show stored orders')
    .helpCommand(false)
  withJson(orders.command('export'))
    .description('write all orders to a new file, a JSON line each (1 command an order, and about 1 per 700 more)')
    .argument('<file>', 'the file to write; it must not exist')
    .addHelpText('after', examples('orderly orders export backup.jsonl'))
    .action(async (file: string) => {
      const { exportCommand } = await import('./orders.ts')
      await run('orders export', exportCommand(file, io))
    })
  withJson(orders.command('import'))
    .description('add the orders of an exported file; existing ones are never overwritten (1 command an order)')
    .argument('<file>', 'the file to read')
    .addHelpText('after', examples('orderly orders import backup.jsonl'))
    .action(async (file: string) => {
      const { importCommand } = await import('./orders.ts')
      await run('orders import', importCommand(file, io))
    })
  withJson(orders.command('show'))
    .description('show one order as it is now, with its history (1 command)')
    .argument('<id>', 'the id, with or without order: before it')
    .addHelpText('after', examples('orderly orders show 6986534250496'))
    .action(async (id: string) => {
      const { showCommand } = await import('./orders.ts')
      await run('orders show', showCommand(id, io))
    })
}
