import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('start.sh says what is missing where it cannot make the digests of the passwords', () => {
  const empty = mkdtempSync(join(tmpdir(), 'orderly-start-'))
  const { status, stderr } = spawnSync('/bin/sh', ['infra/redis/start.sh'], {
    env: { PATH: empty, REDIS_PASSWORD: 'secret' },
    encoding: 'utf8',
  })
  rmSync(empty, { recursive: true })

  expect([status, stderr]).toEqual([2, expect.stringContaining('sha256sum is missing')])
  expect(stderr).not.toContain('secret')
})
