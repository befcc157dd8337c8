import type { CommandTable } from './command.ts'
import type { Keyspace } from './keyspace.ts'
import { readInteger, refuse } from './refused.ts'

/** Commands on hashes, lists and sets. */
export const collectionCommands: CommandTable = {
  HSET: { arity: -4, run: setFields },
  HSETNX: { arity: 4, run: setAbsentField },
  HGET: { arity: 3, run: ([key = '', field = ''], store) => store.find(key, 'hash')?.get(field) ?? null },
  HGETALL: { arity: 2, run: ([key = ''], store) => [...(store.find(key, 'hash') ?? [])].flat() },
  HDEL: { arity: -3, run: deleteFields },
  HLEN: { arity: 2, run: ([key = ''], store) => store.find(key, 'hash')?.size ?? 0 },
  RPUSH: { arity: -3, run: ([key = '', ...items], store) => store.open(key, 'list', () => []).push(...items) },
  LLEN: { arity: 2, run: ([key = ''], store) => store.find(key, 'list')?.length ?? 0 },
  LRANGE: { arity: 4, run: listRange },
  SADD: { arity: -3, run: addMembers },
}

function setFields([key = '', ...words]: readonly string[], store: Keyspace): number {
  if (words.length % 2 === 1) refuse("ERR wrong number of arguments for 'hset' command")
  const fields = store.open(key, 'hash', () => new Map())
  const before = fields.size
  for (let at = 0; at < words.length; at += 2) fields.set(words[at] ?? '', words[at + 1] ?? '')
  return fields.size - before
}

function setAbsentField([key = '', field = '', value = '']: readonly string[], store: Keyspace): number {
  const fields = store.open(key, 'hash', () => new Map())
  if (fields.has(field)) return 0
  fields.set(field, value)
  return 1
}

function deleteFields([key = '', ...names]: readonly string[], store: Keyspace): number {
  const fields = store.find(key, 'hash')
  const deleted = names.filter((name) => fields?.delete(name)).length
  if (fields?.size === 0) store.remove(key)
  return deleted
}

function listRange([key = '', first, last]: readonly string[], store: Keyspace): readonly string[] {
  const [start, end] = [readInteger(first), readInteger(last)]
  const items = store.find(key, 'list') ?? []
  const fromEnd = (index: number) => (index < 0 ? items.length + index : index)
  return fromEnd(end) < 0 ? [] : items.slice(Math.max(0, fromEnd(start)), fromEnd(end) + 1)
}

function addMembers([key = '', ...members]: readonly string[], store: Keyspace): number {
  const set = store.open(key, 'set', () => new Set())
  const before = set.size
  for (const member of members) set.add(member)
  return set.size - before
}
