/** `docker-credential-lading` as clients run it: a word, and a request on standard input. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { inheritedEnvironment } from './run.ts'

export const credentialHelper = fileURLToPath(new URL('../../bin/docker-credential-lading.js', import.meta.url))

export interface HelperAnswer {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

export async function askHelper(
  words: readonly string[],
  input: string,
  environment: Readonly<Record<string, string>>,
): Promise<HelperAnswer> {
  const child = spawn(process.execPath, [credentialHelper, ...words], {
    env: { ...inheritedEnvironment(), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  child.stdin.on('error', () => {}) // it may end without reading all of its input
  child.stdin.end(input)
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), exit])
  return { code, output, errors }
}
