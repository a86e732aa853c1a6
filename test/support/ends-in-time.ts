/**
 * Loaded before each file of tests that has a process of its own. A file that does not end soon after its last test fails, and says
 * what keeps it open: a server or a timer that a test left behind, or one that a test which ran too long still holds.
 */
import { after } from 'node:test'

const graceMs = 10_000

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => {
    setTimeout(() => {
      console.error(`still open after the last test: ${process.getActiveResourcesInfo().join(', ')}`)
      process.exit(1)
    }, graceMs).unref()
  })
}
