import { Option, type Command } from 'commander'
import type { JudgingOptions } from './inngest-judging.ts'
import type { VerifyOptions } from './inngest-verify.ts'
import type { Io } from './io.ts'
import { asOf, examples, maxCommands, wholeNumber, withJson, type RunCommand } from './program-parts.ts'
import { WrongUseError } from './result.ts'
import type { SweepOptions } from './sweep.ts'

/** Adds `orderly inngest <command>`. Each command imports what it needs when it is called. */
export function addInngest(program: Command, io: Io, run: RunCommand): void {
  const inngest = withJson(program.command('inngest'))
    .description('look at the stores of a self-hosted Inngest, or sweep them')
    .helpCommand(false)
  addLooks(inngest, io, run)
  addRuns(inngest, io, run)
  addCron(inngest, io, run)
}

function addLooks(inngest: Command, io: Io, run: RunCommand): void {
  withJson(inngest.command('redis-check'))
    .description('tell whether the Redis of Inngest answers, what is in it, and whether the sweep may believe it')
    .addHelpText('after', examples('orderly inngest redis-check'))
    .action(async () => {
      const { inngestRedisCheckCommand } = await import('./inngest-redis-check.ts')
      await run('inngest redis-check', inngestRedisCheckCommand(io))
    })
  withJson(inngest.command('diagnose'))
    .description('count what is in both stores, whether they agree, and what a sweep would delete now')
    .addOption(days())
    .addOption(asOf())
    .addHelpText('after', examples('orderly inngest diagnose', 'orderly inngest diagnose --days 7 --json'))
    .action(async (options: JudgingOptions) => {
      const { inngestDiagnoseCommand } = await import('./inngest-diagnose.ts')
      await run('inngest diagnose', inngestDiagnoseCommand(options, io))
    })
  withJson(inngest.command('verify'))
    .description('show for a sample of runs whether a sweep would delete or keep each, and why')
    .option('--sample <n>', 'how many runs to show (default: 20)', wholeNumber(1, 1_000))
    .addOption(days())
    .addOption(asOf())
    .addHelpText('after', examples('orderly inngest verify', 'orderly inngest verify --sample 100 --json'))
    .action(async (options: VerifyOptions) => {
      const { inngestVerifyCommand } = await import('./inngest-verify.ts')
      await run('inngest verify', inngestVerifyCommand(options, io))
    })
}

function addRuns(inngest: Command, io: Io, run: RunCommand): void {
  const add = (name: 'once' | 'test', description: string, given: Partial<SweepOptions>) =>
    withJson(inngest.command(name))
      .description(description)
      .addOption(days())
      .addOption(asOf())
      .addOption(maxCommands())
      .addHelpText('after', examples(`orderly inngest ${name}`))
      .action(async (options: SweepOptions) => {
        const { sweepCommand } = await import('./sweep.ts')
        await run(`inngest ${name}`, sweepCommand('inngest', { ...options, ...given }, io))
      })
  add('once', 'sweep now and delete what is due, unless INNGEST_DRY_RUN=true', { apply: true })
  add('test', 'count what a sweep would delete', { toApply: 'orderly inngest once deletes.' })
}

function addCron(inngest: Command, io: Io, run: RunCommand): void {
  inngest
    .command('cron')
    .description('sweep by CLEANUP_SCHEDULE until it is told to stop; writes JSON log lines')
    .addHelpText('after', examples('orderly inngest cron'))
    .action(async (_: unknown, command: Command) => {
      const { inngestCronCommand } = await import('./inngest-cron.ts')
      const asksForJson = command.optsWithGlobals()['json'] === true
      await run('inngest cron', asksForJson ? Promise.reject(noJson()) : inngestCronCommand(io))
    })
}

const noJson = () => new WrongUseError('cron has no --json: what it writes are JSON log lines.')

const days = () =>
  new Option('--days <n>', 'days of 24 hours to keep (default: INNGEST_RETENTION_DAYS)').argParser(wholeNumber(1, 365))
