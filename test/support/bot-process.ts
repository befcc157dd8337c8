import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { createService } from '../../src/service.ts'
import { fakeClock } from './clock.ts'

// Run as a process of its own: the service with a clock that stands at the first argument. Its log goes to stdout.
const log = createLog({ level: 'info', destination: { write: (line) => void process.stdout.write(line) } })
const service = await createService({
  config: readConfig(process.env),
  log,
  version: '0.0.0-test',
  clock: fakeClock(process.argv[2] ?? ''),
})
process.once('SIGTERM', () => void service.stop())
await service.start()
