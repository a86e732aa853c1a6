/** podman against a running server: an image keeps its identity through pull, push and pull again. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sampleSource, samples } from '#test/support/images/samples.ts'
import { needs } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const session = await startSession()
after(() => session[Symbol.asyncDispose]())

/** The ten-layer image is left to skopeo and docker: vfs copies every layer below for each layer. */
const held = samples.filter(({ runnable, name }) => runnable && name !== 'ten-layers')

/** podman with storage of its own in the session's folder, on the driver that works on any file system. */
async function podman(...args: string[]): Promise<string> {
  const [root, runRoot] = [join(session.folder, 'podman'), join(session.folder, 'podman-run')]
  const storage = ['--root', root, '--runroot', runRoot, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs']
  return (await session.run('podman', [...storage, '--events-backend', 'none', ...args])).trim()
}

async function login(): Promise<void> {
  const args = ['login', '--tls-verify=false', '-u', 'AWS', '-p', await session.password(), session.host]
  assert.match(await podman(...args), /Login Succeeded/)
}

test('the password of get-login-password logs podman in', needs('podman'), login)

for (const sample of held) {
  const options = needs('podman', 'skopeo', ...sample.programs)
  test(`podman pulls, pushes and pulls again the ${sample.name} image without changing it`, options, async () => {
    await login()
    const from = `${await session.repository(`podman-from/${sample.name}`)}:v1`
    const to = await session.repository(`podman-to/${sample.name}`)
    const digestFile = join(session.folder, `${sample.name}.digest`)
    const source = await sampleSource(sample)
    await session.run('skopeo', ['copy', '--all', '--dest-tls-verify=false', source, `docker://${from}`])

    const id = await podman('pull', '--quiet', '--tls-verify=false', from)
    await podman('push', '--tls-verify=false', '--digestfile', digestFile, id, `${to}:v1`)
    await podman('rmi', '--force', id)
    const digest = await readFile(digestFile, 'utf8')
    assert.equal(await podman('pull', '--quiet', '--tls-verify=false', `${to}@${digest}`), id)
  })
}
