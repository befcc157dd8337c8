/**
 * What stands behind a queue's base in the keys of BullMQ's own, of old versions too. A job whose id is such a word has no key of
 * its own, so no key of such a name is ever deleted.
 */
export const OWN_WORDS: ReadonlySet<string> = new Set([
  'active',
  'completed',
  'de',
  'delay',
  'delayed',
  'events',
  'failed',
  'id',
  'limiter',
  'marker',
  'meta',
  'meta-paused',
  'metrics:completed',
  'metrics:completed:data',
  'metrics:failed',
  'metrics:failed:data',
  'paused',
  'pc',
  'prioritized',
  'priority',
  'repeat',
  'stalled',
  'stalled-check',
  'wait',
  'waiting-children',
])
