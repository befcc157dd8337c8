import { startRestServer } from '../test/support/rest-server.ts'

// A process of its own: the REST server in front of the Redis whose address it is given. It ends with whoever started it.
process.once('disconnect', () => process.exit(0))
const { url, token } = await startRestServer({ redisUrl: process.argv[2] ?? '' })
process.send?.({ kind: 'upstash', url, token })
