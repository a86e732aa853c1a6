/** `npm test` itself: what takes too long fails by its name, and no file of tests is left out. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inheritedEnvironment } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'
import { tierOf } from '../../../scripts/test/tiers.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

function start(environment: Readonly<Record<string, string>> = {}) {
  const args = ['scripts/test.ts', 'test/integration/runner/too-long.ts', '--test-timeout=500']
  // This process is a test of its own run, and the other must not take itself for one.
  const { NODE_TEST_CONTEXT: _, ...inherited } = inheritedEnvironment()
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  return { child, exit }
}

test('a test that takes too long fails by its name, and the summary says the time of the tier', async () => {
  const { child, exit } = start()
  const [output, code] = await Promise.all([text(child.stdout), exit])
  assert.equal(code, 1)
  assert.match(output, /^✖ integration: waits too long \(test\/integration\/runner\/too-long\.ts:6\)$/m)
  assert.match(output, /^ℹ integration: 3 tests in \d+\.\d s$/m)
  assert.match(output, /^ℹ pass 1\nℹ fail 0\nℹ cancelled 1\nℹ skipped 1$/m)
})

test('a run that is interrupted names the test that loops without end', async (t) => {
  await using folder = await temporaryFolder()
  const { child, exit } = start({ LADING_TEST_LOOPS: 'yes', TMPDIR: folder.path })
  t.after(() => child.kill('SIGINT'))
  const output = text(child.stdout)
  const notes = () => globSync('lading-tally-*/running-*/*', { cwd: folder.path })
  await until(() => notes().some((note) => readFileSync(join(folder.path, note), 'utf8') === 'loops without end'))
  child.kill('SIGINT')
  assert.equal(await exit, 1)
  assert.match(await output, /^✖ integration: loops without end \(ran when it was interrupted\)$/m)
})

test('every file of tests is in a tier', () => {
  const files = globSync('test/**/*.test.ts', { cwd: root })
  assert.deepEqual(
    files.filter((file) => tierOf(file) === undefined),
    [],
  )
})
