import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/errors.ts'
import { loadBullmq } from '../../../src/sweeps/bullmq/load.ts'

describe('the optional package bullmq', () => {
  it('is loaded where it is installed', async () => {
    expect((await loadBullmq()).Queue).toBeTypeOf('function')
  })

  it('is asked for by name where it is not', async () => {
    const missing = Object.assign(new Error("Cannot find package 'bullmq'"), { code: 'ERR_MODULE_NOT_FOUND' })

    const loading = loadBullmq(() => Promise.reject(missing))

    await expect(loading).rejects.toThrow(ConfigError)
    await expect(loading).rejects.toThrow('BULLMQ_REDIS_URL needs the package bullmq: npm install bullmq@6')
  })

  it('that is broken says so itself', async () => {
    await expect(loadBullmq(() => Promise.reject(new SyntaxError('broken')))).rejects.toThrow(SyntaxError)
  })
})
