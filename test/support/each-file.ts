/**
 * Loaded before the files of tests, once in each process. Notes which test runs, for a run that is interrupted. A file that does not
 * end soon after its last test fails, and says what keeps it open: a server or a timer that a test left behind, or one that a test
 * which ran too long still holds.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach } from 'node:test'

const graceMs = 30_000

const { LADING_TEST_RUNNING: folder, NODE_TEST_CONTEXT: child } = process.env
const ownProcess = child !== undefined
const allInOne = process.execArgv.includes('--test-isolation=none')

if (folder !== undefined && (ownProcess || allInOne)) {
  const note = join(folder, String(process.pid))
  // In one step, since a test that never yields is the one to find.
  beforeEach((test) => writeFileSync(note, test.fullName))
  process.on('exit', () => rmSync(note, { force: true }))
}

if (ownProcess) {
  after(() => {
    setTimeout(() => {
      console.error(`still open after the last test: ${process.getActiveResourcesInfo().join(', ')}`)
      process.exit(1)
    }, graceMs).unref()
  })
}
