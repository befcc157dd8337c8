import { startRedisServer } from './redis-server.ts'
import { openResp, textReply } from './resp.ts'
import { atTheEnd } from './service-process.ts'

/** Starts a Redis for services in processes of their own, and a connection past them. It is stopped when the file's tests have ended. */
export async function startRedisServerToAsk() {
  const redis = await startRedisServer()
  atTheEnd(redis.stop)
  const connection = await openResp(redis.url)
  atTheEnd(connection.close)
  const ask = async (...command: (string | number)[]) => {
    const [reply = null] = await connection.call([command])
    return textReply(reply)
  }
  return { ...redis, ask, connection }
}
