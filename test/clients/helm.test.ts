/** helm against a running server: a chart is an artifact like any other. */
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const session = await startSession()
after(() => session[Symbol.asyncDispose]())

test('helm pushes a chart and pulls the same file', needs('helm'), async () => {
  const { host, folder } = session
  await session.repository('charts/cargo')
  const login = ['registry', 'login', host, '--plain-http', '-u', 'AWS', '--password-stdin']
  await session.run('helm', login, { input: await session.password() })
  await session.run('helm', ['create', join(folder, 'cargo')])
  await session.run('helm', ['package', join(folder, 'cargo'), '-d', folder])

  await session.run('helm', ['push', join(folder, 'cargo-0.1.0.tgz'), `oci://${host}/charts`, '--plain-http'])
  const out = join(folder, 'pulled')
  const pull = ['pull', `oci://${host}/charts/cargo`, '--version', '0.1.0', '--plain-http', '-d', out]
  await mkdir(out)
  await session.run('helm', pull)

  assert.deepEqual(await readFile(join(out, 'cargo-0.1.0.tgz')), await readFile(join(folder, 'cargo-0.1.0.tgz')))
})
