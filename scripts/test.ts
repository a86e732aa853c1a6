// `npm test`: every test file, or those named (`npm test -- test/integration/http`), with node's own options passed through
// (`npm test -- --test-name-pattern=abort`). Prints the spec reporter's output, whose closing lines sum it up.

import { spawn } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'))
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))
const files = (named.length > 0 ? named : ['test']).flatMap(testFiles).sort()

function testFiles(path: string): string[] {
  const isFile = existsSync(`${root}${path}`) && statSync(`${root}${path}`).isFile()
  return isFile ? [path] : globSync(`${path}/**/*.test.ts`, { cwd: root, exclude: ['test/fixtures/**'] })
}

if (files.length === 0) {
  console.error(`no test file in ${named.join(', ')}`)
  process.exit(1)
}
// Tests start servers and databases of their own: more files at once than processors make them time out, not faster.
const concurrency = `--test-concurrency=${Math.max(2, availableParallelism())}`
const shared = named.length > 0 ? [] : ['--test-global-setup=test/support/whole-run.ts']
const args = ['--test', '--test-reporter=spec', concurrency, ...shared, ...options, ...files]
// Each file is a process, and starts others: with what Node compiled once they start in half the time.
const env = { NODE_COMPILE_CACHE: `${root}node_modules/.cache/node`, ...process.env }
const tests = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal))
tests.on('exit', (code) => process.exit(code ?? 1))
