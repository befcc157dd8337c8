import { systemClock } from '../../src/clock.ts'
import type { RedisTarget } from '../../src/config.ts'
import { connect } from '../../src/redis/connect.ts'

// Run as a process of its own: opens the target given as JSON, asks once where it answers, closes, and must then end.
const target: RedisTarget = JSON.parse(process.argv[2] ?? '')
const connection = await connect(target, { clock: systemClock, deadlineMs: 2_000 })
const answer = await connection.send([['PING']]).catch((error: Error) => [error.message])
await connection.close()
console.log(String(answer[0]))
