/** crane against a running server: copies, tags, and its own check that a remote image is whole. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { amd64, arm64, image, index } from '#test/support/images/build.ts'
import { contentOf } from '#test/support/images/compare.ts'
import { writeLayout } from '#test/support/images/layout.ts'
import { oddImages } from '#test/support/images/odd.ts'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const session = await startSession()
after(() => session[Symbol.asyncDispose]())

async function crane(...args: string[]): Promise<string> {
  return (await session.run('crane', args)).trim()
}

async function login(): Promise<void> {
  const args = ['auth', 'login', session.host, '-u', 'AWS', '--password-stdin']
  await session.run('crane', args, { input: await session.password() })
}

test('crane pushes an index, finds it whole, copies it and pulls the same', needs('crane'), async () => {
  await login()
  const [from, to] = [await session.repository('crane/from'), await session.repository('crane/to')]
  const [source, out] = [join(session.folder, 'crane-in'), join(session.folder, 'crane-out')]
  const children = [amd64, arm64].map((platform) => image({ platform, layers: [40_000], seed: platform.architecture }))
  const both = index({ children })
  await writeLayout(source, both)

  await crane('push', source, `${from}:v1`)
  assert.equal(await crane('digest', `${from}:v1`), both.digest)
  await crane('validate', '--remote', `${from}:v1`)

  await crane('copy', `${from}:v1`, `${to}:v1`)
  await crane('tag', `${to}:v1`, 'v2')
  assert.equal(await crane('ls', to), 'v1\nv2')
  assert.equal(await crane('digest', `${to}:v2`), both.digest)

  await crane('pull', '--format', 'oci', `${to}@${both.digest}`, out)
  assert.deepEqual(await contentOf(out), await contentOf(source))
})

test('crane brings images with members that are null, empty or missing', needs('crane'), async () => {
  await login()
  const repository = await session.repository('crane/odd')
  for (const [at, [what, odd]] of oddImages().entries()) {
    const [source, name] = [join(session.folder, `crane-odd-${at}`), `${repository}:v${at}`]
    await writeLayout(source, odd)
    await crane('push', source, name)
    assert.equal(await crane('digest', name), odd.digest, what)
  }
})

test('crane deletes a manifest by its digest', needs('crane'), async () => {
  await login()
  const repository = await session.repository('crane/deleted')
  const source = join(session.folder, 'crane-deleted')
  const small = image()
  await writeLayout(source, small)
  await crane('push', source, `${repository}:v1`)
  await crane('delete', `${repository}@${small.digest}`)
  await assert.rejects(crane('manifest', `${repository}:v1`), /MANIFEST_UNKNOWN|not found/i)
})
