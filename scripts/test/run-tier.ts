// Runs the files of one tier in one `node --test`.

import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { memoryFolder } from './memory-folder.ts'
import type { Tally } from './tally.ts'
import type { Tier } from './tiers.ts'

export interface TierOptions {
  readonly root: string
  readonly files: readonly string[]
  /** Options of `node --test`, which win over the tier's own. */
  readonly options: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** How many files run at once. */
  readonly concurrency: number
  /** A folder for what the reporters write. */
  readonly scratch: string
  /** Interrupts the tier. The tests that then run are printed. */
  readonly signal: AbortSignal
}

export interface TierResult {
  readonly succeeded: boolean
  /** Undefined where the tier was interrupted too early to count. */
  readonly tally: Tally | undefined
  /** The tests that ran when the tier was interrupted. Undefined where it came to its end. */
  readonly interrupted: readonly string[] | undefined
  readonly seconds: number
}

export async function runTier(name: string, tier: Tier, given: TierOptions): Promise<TierResult> {
  const { root, files, options, environment, scratch } = given
  const signal = AbortSignal.any([given.signal, AbortSignal.timeout(tier.deadlineMs)])
  const counted = join(scratch, `${name}.json`)
  const args = [
    '--test',
    ...(tier.oneProcess
      ? ['--test-isolation=none', '--test-force-exit']
      : [`--test-concurrency=${given.concurrency}`, '--test-global-setup=test/support/whole-run.ts']),
    '--import=./test/support/each-file.ts',
    `--test-timeout=${tier.testTimeoutMs}`,
    ...options,
    ...reportersBeside(options, counted),
    ...files,
  ]
  const began = performance.now()
  const memory = tier.inMemory ? memoryFolder() : undefined
  const running = await mkdtemp(join(scratch, 'running-'))
  const env = { LADING_TEST_RUNNING: running, ...(memory !== undefined && { TMPDIR: memory }), ...environment }
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env })
  let last: NodeJS.Timeout | undefined
  const interrupt = () => {
    // Node's runner then ends the processes of its files, and names them.
    child.kill('SIGINT')
    // One process for all files cannot do that while a test loops in it.
    last = setTimeout(() => child.kill('SIGKILL'), 10_000)
  }
  if (signal.aborted) interrupt()
  signal.addEventListener('abort', interrupt)
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve))
  signal.removeEventListener('abort', interrupt)
  clearTimeout(last)
  return {
    succeeded: code === 0,
    interrupted: signal.aborted ? await notesIn(running) : undefined,
    tally: parseTally(await readFile(counted, 'utf8').catch(() => '')),
    seconds: (performance.now() - began) / 1_000,
  }
}

/** The printing one unless the caller names another, and the counting one. Node pairs them with destinations in their order. */
function reportersBeside(options: readonly string[], counted: string): string[] {
  const named = options.filter((option) => option.startsWith('--test-reporter='))
  const placed = options.filter((option) => option.startsWith('--test-reporter-destination='))
  const own = named.length === 0 ? ['--test-reporter=./scripts/test/print.ts'] : []
  const unplaced = Math.max(0, own.length + named.length - placed.length)
  return [
    ...own,
    ...Array<string>(unplaced).fill('--test-reporter-destination=stdout'),
    '--test-reporter=./scripts/test/tally.ts',
    `--test-reporter-destination=${counted}`,
  ]
}

/** What `test/support/each-file.ts` wrote: a process that ends by itself removes its note. */
async function notesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
}

function parseTally(text: string): Tally | undefined {
  // The reporter wrote it.
  return text === '' ? undefined : (JSON.parse(text) as Tally)
}
