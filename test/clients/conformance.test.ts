/**
 * The conformance suite of the OCI distribution specification, as its authors publish it, against a server of our own. `LADING_CONFORMANCE`
 * is the path of its program. Its reports stay in `out/conformance`.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { inContinuousIntegration } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'

const program = process.env.LADING_CONFORMANCE
const reports = fileURLToPath(new URL('../../out/conformance', import.meta.url))
const skip = program === undefined && !inContinuousIntegration && 'LADING_CONFORMANCE names no program to run'

/**
 * The suite skips what a registry may decline: mounting from nowhere or, as ECR, what no image refers to, and a range that ends
 * before it begins, which we ignore.
 */
const mayBeSkipped = ['sha256', 'sha512'].flatMap((algorithm) => [
  `${algorithm} blobs/mount/blob-mount`,
  `${algorithm} blobs/mount anonymous/blob-mount-anonymous`,
  `${algorithm} blobs/range requests/range 500-0`,
])

function skippedIn(output: string): string[] {
  return [...output.matchAll(/^ *OCI Conformance Test\/(.*): Skip$/gm)].map(([, name = '']) => name)
}

interface Run {
  readonly failed: boolean
  readonly output: string
}

function run(path: string, env: Record<string, string>): Promise<Run> {
  return new Promise((resolve) => {
    execFile(path, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ failed: error !== null, output: stdout + stderr })
    })
  })
}

eachDatabase(({ dialect, url }) => {
  test(`the OCI conformance suite passes whole, over ${dialect}`, { skip }, async () => {
    assert.ok(program !== undefined, 'LADING_CONFORMANCE is the path of the conformance suite')
    await using server = await startServer({ database: await url() })
    await using client = await openOciClient(server)
    // The suite deletes an image and then its blobs, which the recycle bin would need.
    await callAdmin(server, server.credentials, 'PutRetentionSettings', { recycleBinDays: 0 })
    const [, password = ''] = Buffer.from(client.registry.authorization.slice('Basic '.length), 'base64')
      .toString()
      .split(':')
    const results = join(reports, dialect)
    await rm(results, { recursive: true, force: true })
    await mkdir(results, { recursive: true })

    const { failed, output } = await run(program, {
      OCI_REGISTRY: server.host,
      OCI_TLS: 'disabled',
      OCI_REPO1: await client.createRepository('conformance/repo1'),
      OCI_REPO2: await client.createRepository('conformance/repo2'),
      OCI_USERNAME: 'AWS',
      OCI_PASSWORD: password,
      OCI_VERSION: '1.1',
      OCI_RESULTS_DIR: results,
      // Beyond the suite's defaults: what the specification leaves open and we promise.
      OCI_API_BLOBS_DIGEST_HEADER: 'true',
      OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
      OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
    })
    await writeFile(join(results, 'output.log'), output)
    assert.ok(!failed, output)
    assert.match(output, /^OCI Conformance Test: Pass$/m, output)
    assert.deepEqual(skippedIn(output), mayBeSkipped)
  })
})
