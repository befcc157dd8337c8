/** The little of ioredis (5 and 6) that the store needs. */
export interface IoredisLike {
  call(command: string, ...args: string[]): Promise<unknown>
}

/** The little of node-redis (4 to 6) that the store needs. */
export interface NodeRedisLike {
  sendCommand(words: string[]): Promise<unknown>
  hGetAll(key: string): Promise<unknown>
}

/** The little of @upstash/redis that the store needs, with and without automatic deserialization. */
export interface UpstashLike {
  del(...keys: string[]): Promise<unknown>
  exists(...keys: string[]): Promise<unknown>
  eval(script: string, keys: string[], args: string[]): Promise<unknown>
  createScript(script: string): unknown
}

/**
 * Eight plain methods, for every other client. They answer stored texts as they are, and null or undefined for none;
 * `hgetall` answers an object, a Map, a flat list of fields and values, or null.
 */
export interface PlainRedis {
  set(key: string, value: string): Promise<unknown>
  get(key: string): Promise<unknown>
  hset(key: string, fields: { [field: string]: string }): Promise<unknown>
  hget(key: string, field: string): Promise<unknown>
  hdel(key: string, field: string): Promise<unknown>
  hgetall(key: string): Promise<unknown>
  del(key: string): Promise<unknown>
  expire(key: string, seconds: number): Promise<unknown>
}

/** A client that the store can work through. It is recognized by the methods it has. */
export type RedisClient = IoredisLike | NodeRedisLike | UpstashLike | PlainRedis
