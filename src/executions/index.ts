// The entry of `orderly/executions`.
export { InputError } from '../errors.ts'
export type { IoredisLike, NodeRedisLike, PlainRedis, RedisClient, UpstashLike } from './clients.ts'
export { BrokenResultError, KeyTakenError, UnstorableResultError } from './errors.ts'
export { createMemoryStore, type MemoryStoreOptions } from './memory-store.ts'
export { createRedisStore, type RedisStoreOptions } from './redis-store.ts'
export type { ExecutionStore, WorkerStore } from './worker-store.ts'
