import type { ServerFacts } from './facts.ts'
import { leftOut, type Rule } from './server-lines.ts'
import type { StatusLine } from './status.ts'
import { ageText, fine, memoryText, microsText, needsRight, untold } from './words.ts'

const aof: Rule = (facts) => {
  const { aofEnabled, aofLastWriteOk, aofLastRewriteOk } = facts.figures
  if (aofEnabled === null) return leftOut('AOF', facts)
  if (!aofEnabled) return withoutAof(facts)
  if (aofLastWriteOk === false) {
    const cure = 'Redis refuses writes until it can write to its AOF again. Free the disk, and read its log.'
    return { name: 'AOF', value: 'on, the last write to it failed', verdict: 'bad', cure }
  }
  if (aofLastRewriteOk === false) {
    const cure = 'The file grows until a rewrite succeeds. Free disk and memory, then run BGREWRITEAOF.'
    return { name: 'AOF', value: 'on, the last rewrite failed', verdict: 'look', cure }
  }
  return fine('AOF', 'on, the last write to it succeeded')
}

/** A server that starts with a log that it never wrote starts empty, and its next save overwrites the last one. */
const SWITCH_ON =
  'While it runs: CONFIG SET appendonly yes, wait for aof_rewrite_in_progress:0 in INFO, then CONFIG REWRITE. Not by a restart, ' +
  'which would start it empty. See "Switching the log on" in docs/redis.md.'

function withoutAof({ figures: { rdbIsScheduled }, isBilled }: ServerFacts): StatusLine {
  const off = fine('AOF', 'off')
  // How a provider keeps its data is not said there.
  if (isBilled) return off
  if (rdbIsScheduled === false) {
    return { ...off, verdict: 'bad', cure: `Nothing is kept on disk: a restart loses everything. ${SWITCH_ON}` }
  }
  return { ...off, verdict: 'look', cure: `A crash loses what changed since the last save. ${SWITCH_ON}` }
}

/**
 * Redis rewrites the file by itself at twice its size after the last rewrite, from 64 MiB on: at three times, that is
 * switched off or does not keep up.
 */
const GROWN = 3
const REWRITTEN_FROM_BYTES = 64 * 1_024 * 1_024

const aofSize: Rule = ({ figures: { aofEnabled, aofSizeBytes: size, aofBaseBytes: base } }) => {
  if (aofEnabled !== true || size === null) return undefined
  const times = base === null || base === 0 ? null : size / base
  const line = fine(
    'AOF size',
    `${memoryText(size)}${base === null ? '' : `, ${memoryText(base)} after the last rewrite`}`,
  )
  if (times === null || times <= GROWN || size < REWRITTEN_FROM_BYTES) return line
  const cure = 'A start takes longer the longer the file is. Run BGREWRITEAOF; see auto-aof-rewrite-percentage.'
  return { ...line, verdict: 'look', cure }
}

/** The longest pause of Redis's own save points is an hour; changes that wait for a day are nobody's plan. */
const OLD_SAVE_SECONDS = 86_400

const rdb: Rule = (facts) => {
  const { rdbLastSaveOk, rdbLastSaveAgeSeconds: age, rdbChangesSinceLastSave: changes, rdbIsScheduled } = facts.figures
  if (rdbLastSaveOk === null && age === null) return leftOut('RDB', facts)
  const line = fine(
    'RDB',
    [rdbIsScheduled === false && 'no schedule', ...savedText(age, changes)].filter(Boolean).join(', '),
  )
  if (rdbLastSaveOk === false) {
    const cure =
      'The last save failed, and unless told otherwise Redis then refuses writes. Free disk and memory, and read its log.'
    return { ...line, verdict: 'bad', cure }
  }
  // With an AOF nothing depends on snapshots.
  const matters = facts.figures.aofEnabled !== true && !facts.isBilled
  if (rdbIsScheduled === null && matters) return { ...line, verdict: 'unknown', cure: needsRight('+config|get') }
  const isOld = rdbIsScheduled === true && (changes ?? 0) > 0 && (age ?? 0) > OLD_SAVE_SECONDS
  return isOld
    ? { ...line, verdict: 'look', cure: 'Changes wait for a save for more than a day. See its save points.' }
    : line
}

const savedText = (age: number | null, changes: number | null) => [
  age !== null && `last save or start ${ageText(age)} ago`,
  changes !== null && `${changes} changes since`,
]

/** Redis does one thing at a time: what takes a tenth of a second delays everybody else by as much. */
const BLOCKING_MICROS = 100_000
const RECENTLY_MS = 86_400_000

const slowLog: Rule = ({ slowLog: entries, nowMs }) => {
  if (entries === undefined) return undefined
  if (entries === null) return untold('slow log', needsRight('+slowlog|get'))
  const [slowest] = entries.toSorted((a, b) => b.micros - a.micros)
  if (slowest === undefined) return fine('slow log', 'empty')
  const age = ageText(Math.max(0, nowMs - slowest.atMs) / 1_000)
  const value = `${slowest.command} took ${microsText(slowest.micros)} ${age} ago, the slowest of the last ${entries.length}`
  const blocks = entries.some(({ micros, atMs }) => micros >= BLOCKING_MICROS && nowMs - atMs < RECENTLY_MS)
  if (!blocks) return fine('slow log', value)
  const cure = 'Everybody else waited meanwhile. Use SCAN in place of KEYS, UNLINK in place of DEL, and smaller ranges.'
  return { name: 'slow log', value, verdict: 'look', cure }
}

/** The rules about what is kept on disk and what was slow. */
export const persistenceRules: readonly Rule[] = [aof, aofSize, rdb, slowLog]
