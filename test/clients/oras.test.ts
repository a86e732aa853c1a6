/** oras against a running server: artifacts, what refers to them, and whole graphs in and out. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { artifact, image } from '#test/support/images/build.ts'
import { contentOf } from '#test/support/images/compare.ts'
import { writeLayout } from '#test/support/images/layout.ts'
import { oddImages } from '#test/support/images/odd.ts'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const session = await startSession()
after(() => session[Symbol.asyncDispose]())

const plain = '--plain-http'

async function login(): Promise<void> {
  await session.run('oras', ['login', plain, '-u', 'AWS', '--password-stdin', session.host], {
    input: await session.password(),
  })
}

/** Writes a layout with an image `v1`, a signature and an SBOM of it, and a signature of the SBOM; gives what refers to the image. */
async function signedLayout(folder: string): Promise<{ types: string[] }> {
  const app = image({ seed: 'signed' })
  const sbom = artifact({ artifactType: 'application/spdx+json', subject: app, blobs: [Buffer.from('{"spdx":1}')] })
  const signatureType = 'application/vnd.dev.cosign.artifact.sig.v1+json'
  await writeLayout(folder, app, 'v1')
  await writeLayout(folder, sbom)
  await writeLayout(folder, artifact({ artifactType: signatureType, subject: app }))
  await writeLayout(folder, artifact({ artifactType: signatureType, subject: sbom }))
  return { types: ['application/spdx+json', signatureType] }
}

test('the password of get-login-password logs oras in', needs('oras'), login)

test('oras carries an image with its SBOM and signatures in and out byte for byte', needs('oras'), async () => {
  await login()
  const repository = await session.repository('oras/signed')
  const [source, out] = [join(session.folder, 'oras-in'), join(session.folder, 'oras-out')]
  const { types } = await signedLayout(source)

  await session.run('oras', ['cp', '-r', '--from-oci-layout', `${source}:v1`, '--to-plain-http', `${repository}:v1`])
  const found = await session.run('oras', ['discover', plain, '--format', 'json', '--depth', '1', `${repository}:v1`])
  const { referrers } = JSON.parse(found) as { referrers: { artifactType: string }[] }
  assert.deepEqual(new Set(referrers.map(({ artifactType }) => artifactType)), new Set(types))

  await session.run('oras', ['cp', '-r', '--from-plain-http', `${repository}:v1`, '--to-oci-layout', `${out}:v1`])
  assert.deepEqual(await contentOf(out), await contentOf(source))
})

test('oras brings images with members that are null, empty or missing, byte for byte', needs('oras'), async () => {
  await login()
  const repository = await session.repository('oras/odd')
  for (const [at, [what, odd]] of oddImages().entries()) {
    const [source, tag] = [join(session.folder, `oras-odd-${at}`), `v${at}`]
    await writeLayout(source, odd, tag)
    await session.run('oras', [
      'cp',
      '--from-oci-layout',
      `${source}:${tag}`,
      '--to-plain-http',
      `${repository}:${tag}`,
    ])
    assert.equal(
      await session.run('oras', ['manifest', 'fetch', plain, `${repository}:${tag}`]),
      String(odd.bytes),
      what,
    )
  }
})

test('oras attaches a file to an image and pulls it back', needs('oras'), async () => {
  await login()
  const repository = await session.repository('oras/attached')
  const report = '{"passed":true}\n'
  await writeFile(join(session.folder, 'report.json'), report)
  await session.run('oras', ['push', plain, '--artifact-type', 'application/vnd.lading.app', `${repository}:v1`])

  const attach = ['attach', plain, '--artifact-type', 'application/vnd.lading.report', '--format', 'json']
  const file = 'report.json:application/json'
  const attached = await session.run('oras', [...attach, `${repository}:v1`, file], { cwd: session.folder })
  const { reference } = JSON.parse(attached) as { reference: string }
  await session.run('oras', ['pull', plain, '-o', join(session.folder, 'pulled'), reference])

  assert.equal(await readFile(join(session.folder, 'pulled', 'report.json'), 'utf8'), report)
})

test('oras lists and deletes what it pushed', needs('oras'), async () => {
  await login()
  const repository = await session.repository('oras/listed')
  await session.run('oras', ['push', plain, '--artifact-type', 'application/vnd.lading.app', `${repository}:v1,v2`])
  assert.equal(await session.run('oras', ['repo', 'tags', plain, repository]), 'v1\nv2\n')
  await session.run('oras', ['manifest', 'delete', plain, '--force', `${repository}:v1`])
  await assert.rejects(session.run('oras', ['manifest', 'fetch', plain, `${repository}:v1`]), /not found/)
})
