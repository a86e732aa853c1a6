/** skopeo against a running server: every kind of image in and out, with digests and bytes kept. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { contentOf } from '#test/support/images/compare.ts'
import { sampleFolder, sampleSource, samples } from '#test/support/images/samples.ts'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const session = await startSession()
after(() => session[Symbol.asyncDispose]())

const plain = '--tls-verify=false'
const copy = ['copy', '--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false']

async function login(): Promise<void> {
  await session.run('skopeo', ['login', plain, '-u', 'AWS', '--password-stdin', session.host], {
    input: await session.password(),
  })
}

test('the password of get-login-password logs skopeo in', needs('skopeo'), async () => {
  await login()
  const user = await session.run('skopeo', ['login', '--get-login', session.host])
  assert.equal(user.trim(), 'AWS')
})

test('a password that is none does not log skopeo in', needs('skopeo'), async () => {
  const attempt = session.run('skopeo', ['login', plain, '-u', 'AWS', '-p', 'not-a-token', session.host])
  await assert.rejects(attempt, /ended with 1/)
})

for (const sample of samples) {
  const options = needs('skopeo', ...sample.programs)
  test(`skopeo carries the ${sample.name} image in and out byte for byte`, options, async () => {
    await login()
    const repository = await session.repository(`skopeo/${sample.name}`)
    const out = join(session.folder, `skopeo-${sample.name}`)
    const target = sample.transport === 'oci' ? `oci:${out}:${sample.name}` : `dir:${out}`

    await session.run('skopeo', [...copy, await sampleSource(sample), `docker://${repository}:v1`])
    await session.run('skopeo', [...copy, `docker://${repository}:v1`, target])

    assert.deepEqual(await contentOf(out), await contentOf(await sampleFolder(sample)))
  })
}

test('skopeo copies between two repositories, lists the tags and deletes one', needs('skopeo'), async () => {
  await login()
  const [from, to] = [await session.repository('skopeo/from'), await session.repository('skopeo/to')]
  const small = samples.find(({ name }) => name === 'small')
  assert.ok(small)
  await session.run('skopeo', [...copy, await sampleSource(small), `docker://${from}:v1`])
  await session.run('skopeo', [...copy, `docker://${from}:v1`, `docker://${to}:v1`])
  await session.run('skopeo', [...copy, `docker://${to}:v1`, `docker://${to}:v2`])

  const { Tags } = JSON.parse(await session.run('skopeo', ['list-tags', plain, `docker://${to}`])) as { Tags: string[] }
  assert.deepEqual(Tags, ['v1', 'v2'])

  await session.run('skopeo', ['delete', plain, `docker://${from}:v1`])
  await assert.rejects(session.run('skopeo', ['inspect', plain, `docker://${from}:v1`]), /manifest unknown|not found/i)
  await session.run('skopeo', ['inspect', plain, `docker://${to}:v1`])
})
