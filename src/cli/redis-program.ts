import type { Command } from 'commander'
import type { Io } from './io.ts'
import { examples, wholeNumber, withJson, type RunCommand } from './program-parts.ts'

/** Adds `orderly redis <command>`. Each command imports what it needs when it is called. */
export function addRedis(program: Command, io: Io, run: RunCommand): void {
  const redis = withJson(program.command('redis'))
    .description('see how a Redis is, back it up, restore it, or empty a queue of BullMQ')
    .helpCommand(false)
  addStatus(redis, io, run)
  addBackup(redis, io, run)
  addRestore(redis, io, run)
  addQueue(redis, io, run)
}

const url = (what: string) => ['--url <url>', `${what}; a password may be left out and given as REDISCLI_AUTH`] as const

function addStatus(redis: Command, io: Io, run: RunCommand): void {
  withJson(redis.command('status'))
    .description('judge each configured Redis: memory, persistence, evictions, slow commands, big keys, queues')
    .option('--watch [seconds]', 'look again every so many seconds until Ctrl-C (default: 5)', wholeNumber(1, 3_600))
    .option(...url('look at this one Redis only'))
    .addHelpText('after', examples('orderly redis status', 'orderly redis status --watch 10'))
    .action(
      async ({ watch, ...options }: { readonly watch?: number | true; readonly url?: string }, command: Command) => {
        const { redisStatusCommand } = await import('./redis-status.ts')
        const { json = false } = command.optsWithGlobals<{ readonly json?: boolean }>()
        const seconds = watch === true ? 5 : watch
        await run(
          'redis status',
          redisStatusCommand({ ...options, json, ...(seconds !== undefined && { watch: seconds }) }, io),
        )
      },
    )
}

function addBackup(redis: Command, io: Io, run: RunCommand): void {
  withJson(redis.command('backup'))
    .description('write a checked copy of a whole Redis into a new folder')
    .argument('<dir>', 'where the folder is made')
    .option(...url('the Redis to copy, as a user that may do it (default: the one of orders)'))
    .option('--apply', 'where a provider bills each command: go on after the price was shown')
    .addHelpText(
      'after',
      examples('orderly redis backup backups', 'orderly redis backup backups --url redis://127.0.0.1'),
    )
    .action(async (directory: string, options: { readonly url?: string; readonly apply?: boolean }) => {
      const { redisBackupCommand } = await import('./redis-backup.ts')
      await run('redis backup', redisBackupCommand(directory, options, io))
    })
}

function addRestore(redis: Command, io: Io, run: RunCommand): void {
  withJson(redis.command('restore'))
    .description('copy a backup into an empty Redis; without --apply only say what that would do')
    .argument('<backup>', 'the folder that a backup wrote')
    .requiredOption('--to <url>', 'the empty Redis; a password may be left out and given as REDISCLI_AUTH')
    .option('--apply', 'restore; without it nothing is changed')
    .addHelpText(
      'after',
      examples(
        'orderly redis restore backups/orderly-redis-20261121T020000Z --to redis://127.0.0.1:6380',
        'orderly redis restore backups/orderly-redis-20261121T020000Z --to redis://127.0.0.1:6380 --apply',
      ),
    )
    .action(async (backup: string, options: { readonly to: string; readonly apply?: boolean }) => {
      const { redisRestoreCommand } = await import('./redis-restore.ts')
      await run('redis restore', redisRestoreCommand(backup, options, io))
    })
}

function addQueue(redis: Command, io: Io, run: RunCommand): void {
  const queue = withJson(redis.command('queue')).description('work on one queue of BullMQ').helpCommand(false)
  withJson(queue.command('clear'))
    .description('empty a queue and leave nothing behind; without --apply only count')
    .argument('<name>', 'the name of the queue')
    .option(...url('the Redis of the queue (default: BULLMQ_REDIS_URL)'))
    .option('--apply', 'delete; without it nothing is changed')
    .addHelpText('after', examples('orderly redis queue clear mails', 'orderly redis queue clear mails --apply'))
    .action(async (name: string, options: { readonly url?: string; readonly apply?: boolean }) => {
      const { queueClearCommand } = await import('./redis-queue.ts')
      await run('redis queue clear', queueClearCommand(name, options, io))
    })
}
