// `npm run check`: everything that can be known without running the product. Every step runs, whatever fails before it;
// each prints its name and time, and what it found.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { proveRules } from './check/prove-rules.ts'
import { checkWords, proveWords } from './check/words.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Step {
  readonly name: string
  /** Gives what is wrong, or an empty text. */
  run(): Promise<string>
}

const generate = 'scripts/generate.ts'
const steps: readonly Step[] = [
  { name: 'types (tsc)', run: () => tool('tsc', []) },
  {
    name: 'lint, format, import directions (biome)',
    run: () => tool('biome', ['ci', '--colors=off', '--error-on-warnings', '.']),
  },
  { name: 'every lint rule catches its fixture', run: () => proveRules(root) },
  { name: 'plain words in new text', run: () => checkWords(root) },
  { name: 'the word check catches its fixture', run: () => proveWords(root) },
  { name: 'dead code and dependencies (knip)', run: () => tool('knip', ['--no-progress']) },
  ...(existsSync(join(root, generate))
    ? [{ name: 'generated files', run: () => outputOfFailure(process.execPath, [generate, '--check']) }]
    : []),
]

function tool(name: string, args: readonly string[]): Promise<string> {
  return outputOfFailure(join(root, 'node_modules/.bin', name), args)
}

async function outputOfFailure(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  const [code, out, err] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
  return code === 0 ? '' : `${out}${err}`.trim() || `exit code ${code}`
}

let failed = 0
for (const { name, run } of steps) {
  const startedAt = performance.now()
  const problem = await run().catch((error: unknown) => String(error))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${problem ? '✖' : '✔'} ${name} (${seconds} s)`)
  if (!problem) continue
  failed++
  console.log(`\n${problem}\n`)
}
if (failed > 0) {
  console.log(`${failed} of ${steps.length} checks failed`)
  process.exitCode = 1
}
