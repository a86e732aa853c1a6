// `npm test`: the tiers `unit` and `integration`. `npm run test:ci` and `npm run test:all` run more (`test/tiers.ts`).
// `npm test -- test/integration/http` runs what is named instead. Node's own options pass through (`--test-name-pattern=abort`).
// One summary of the whole run comes last.

import { existsSync, globSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runTier } from './test/run-tier.ts'
import { printSummary, type RanTier } from './test/summary.ts'
import { scopes, type TierName, tierOf, tiers } from './test/tiers.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const scopeOption = '--scope='
const given = process.argv.slice(2)
const scope = scopeNamed(given.find((argument) => argument.startsWith(scopeOption))?.slice(scopeOption.length))
const options = given.filter((argument) => argument.startsWith('-') && !argument.startsWith(scopeOption))
const named = given.filter((argument) => !argument.startsWith('-'))
const filesByTier = groupFiles(new Set((named.length > 0 ? named : scope.paths).flatMap(testFiles)))

function scopeNamed(name = 'default') {
  if (name === 'default' || name === 'ci' || name === 'all') return scopes[name]
  throw new Error(`no scope is called ${name}`)
}

function testFiles(given: string): string[] {
  const path = relative(root, resolve(root, given))
  if (!existsSync(join(root, path))) throw new Error(`${given} does not exist`)
  return statSync(join(root, path)).isFile() ? [path] : globSync(`${path}/**/*.test.ts`, { cwd: root }).sort()
}

function groupFiles(files: Iterable<string>): Map<TierName, string[]> {
  const groups = new Map<TierName, string[]>()
  for (const file of files) {
    const tier = tierOf(file)
    if (tier !== undefined) groups.set(tier, [...(groups.get(tier) ?? []), file])
  }
  return groups
}

if (filesByTier.size === 0) {
  console.error(`no test file in ${named.join(', ')}`)
  process.exit(1)
}

// Each file is a process and starts others. With what Node compiled before, they start in half the time.
const environment = { NODE_COMPILE_CACHE: `${root}node_modules/.cache/node`, ...scope.environment, ...process.env }
// Tests start servers and databases of their own. More files at once than processors time out, and are not faster.
const concurrency = Math.max(2, availableParallelism())
const interruption = new AbortController()
const deadline = setTimeout(() => interruption.abort(), scope.deadlineMs)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort())

const scratch = await mkdtemp(join(tmpdir(), 'lading-tally-'))
const ran: RanTier[] = []
for (const name of Object.keys(tiers) as TierName[]) {
  const files = filesByTier.get(name)
  if (files === undefined || interruption.signal.aborted) continue
  const { signal } = interruption
  const result = await runTier(name, tiers[name], { root, files, options, environment, concurrency, scratch, signal })
  ran.push({ name, ...result })
}
clearTimeout(deadline)
await rm(scratch, { recursive: true })
printSummary(ran)
if (interruption.signal.aborted || ran.some(({ succeeded }) => !succeeded)) process.exitCode = 1
