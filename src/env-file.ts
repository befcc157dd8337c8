import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ConfigError } from './errors.ts'

/**
 * The variables of a file `.env` in the current folder; none where there is no such file. A byte order mark, as some
 * editors write it, is no part of the first name.
 *
 * @throws ConfigError when the file cannot be read.
 */
export function readEnvFile(): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync('.env', 'utf8').replace(/^\ufeff/, ''))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'EISDIR') return {}
    throw new ConfigError(['The file .env in this folder cannot be read. Change its permissions or remove it.'])
  }
}
