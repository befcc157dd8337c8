import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Suites mostly wait for servers and processes of their own: two at a time on a small machine, too.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Tests of whole processes mostly wait.
    maxConcurrency: 8,
    // One given Redis is shared by all suites that use it, and each of them empties it.
    fileParallelism: (process.env['REDIS_TEST_URL'] ?? '') === '',
  },
})
