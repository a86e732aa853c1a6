/**
 * docker and its engine against a running server. The engine checks every digest that it pulls; the tests add that an
 * image keeps its identity, and its manifest the digest under which it was pushed.
 */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { type DockerEngine, startDockerEngine } from '#test/support/docker-engine.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { sampleSource, samples } from '#test/support/images/samples.ts'
import { tar } from '#test/support/images/tar.ts'
import { contentOf, replicateTo, settled } from '#test/support/replication.ts'
import { inContinuousIntegration, needs, run } from '#test/support/run.ts'
import { startSession } from '#test/support/session.ts'

const session = await startSession()
const engine = await engineOrReason()
after(async () => {
  if (typeof engine !== 'string') await engine[Symbol.asyncDispose]()
  await session[Symbol.asyncDispose]()
})

/** An engine, or why this machine has none; in CI there must be one. */
async function engineOrReason(): Promise<DockerEngine | string> {
  const { skip } = needs('docker', 'dockerd')
  if (skip !== false) return skip
  try {
    const folder = join(session.folder, 'engine')
    await mkdir(folder)
    return await startDockerEngine(folder)
  } catch (error) {
    if (inContinuousIntegration) throw error
    return String(error)
  }
}

function needsEngine(...programs: string[]): { skip: string | false } {
  return typeof engine === 'string' ? { skip: engine } : needs(...programs)
}

async function docker(args: readonly string[], input?: string | Uint8Array): Promise<string> {
  assert.ok(typeof engine !== 'string')
  return (await run('docker', args, { env: { ...session.env, DOCKER_HOST: engine.host }, input })).trim()
}

async function login(): Promise<void> {
  const output = await docker(['login', '-u', 'AWS', '--password-stdin', session.host], await session.password())
  assert.match(output, /Login Succeeded/)
}

/** Pushes, and gives the digest that docker names at the end. */
async function push(reference: string): Promise<string> {
  const [, pushed] = /digest: (sha256:[0-9a-f]{64})/.exec(await docker(['push', reference])) ?? []
  assert.ok(pushed, 'docker push named no digest')
  return pushed
}

async function inspect<T>(reference: string, field: string): Promise<T> {
  // docker's own JSON; the caller names the field's type
  return JSON.parse(await docker(['image', 'inspect', '--format', `{{json .${field}}}`, reference])) as T
}

async function forget(id: string): Promise<void> {
  await docker(['image', 'rm', '--force', id])
}

test('the password of get-login-password logs docker in', needsEngine(), login)

test('a password that is none does not log docker in', needsEngine(), async () => {
  await assert.rejects(docker(['login', '-u', 'AWS', '--password-stdin', session.host], 'not-a-token'), /ended with 1/)
})

for (const sample of samples.filter(({ runnable }) => runnable)) {
  const options = needsEngine('skopeo', ...sample.programs)
  test(`docker pulls, pushes and pulls again the ${sample.name} image without changing it`, options, async () => {
    await login()
    const from = await session.repository(`docker-from/${sample.name}`)
    const to = await session.repository(`docker-to/${sample.name}`)
    const source = await sampleSource(sample)
    const copy = ['copy', '--all', '--preserve-digests', '--dest-tls-verify=false']
    await session.run('skopeo', [...copy, source, `docker://${from}:v1`])
    const manifest = await session.run('skopeo', ['inspect', '--raw', source])

    await docker(['pull', '--quiet', `${from}:v1`])
    const id = await inspect<string>(`${from}:v1`, 'Id')
    const digests = await inspect<string[]>(`${from}:v1`, 'RepoDigests')
    assert.deepEqual(digests, [`${from}@${digest(Buffer.from(manifest))}`])

    await docker(['tag', `${from}:v1`, `${to}:v1`])
    const pushed = await push(`${to}:v1`)
    await forget(id)
    await docker(['pull', '--quiet', `${to}@${pushed}`])
    assert.equal(await inspect(`${to}@${pushed}`, 'Id'), id)
  })
}

test('docker pushes an image that no registry has seen, and pulls the same', needsEngine(), async () => {
  await login()
  const repository = await session.repository('docker-new')
  const archive = tar({ 'etc/motd': 'new\n', noise: noise('docker', 5_000_000) })
  const id = await docker(['import', '-', `${repository}:v1`], archive)
  const pushed = await push(`${repository}:v1`)
  await forget(id)
  await docker(['pull', '--quiet', `${repository}:v1`])
  assert.equal(await inspect(`${repository}:v1`, 'Id'), id)
  assert.deepEqual(await inspect(`${repository}:v1`, 'RepoDigests'), [`${repository}@${pushed}`])
})

test(
  'what docker pushes is replicated, and docker pulls the same from the destination',
  needsEngine('aws'),
  async (t) => {
    await login()
    const repository = await session.repository('replicated/docker')
    const { server } = session
    const client = (region: string) => {
      const ecr = new ECR({ endpoint: server.url, region, credentials: server.credentials })
      t.after(() => ecr.destroy())
      return ecr
    }
    const [source, copy] = [client(server.region), client('eu-west-1')]
    await replicateTo(source, [{ registryId: server.account, region: 'eu-west-1' }], ['replicated/'])
    const id = await docker(['import', '-', `${repository}:v1`], tar({ noise: noise('replicated', 100_000) }))
    const pushed = await push(`${repository}:v1`)
    assert.deepEqual(await settled(source, 'replicated/docker', pushed), [`${server.account}/eu-west-1: COMPLETE`])
    assert.deepEqual(await contentOf(copy, 'replicated/docker'), [`${pushed} v1`])

    await forget(id)
    await source.deleteRepository({ repositoryName: 'replicated/docker', force: true })
    const options = ['ecr', 'get-login-password', '--endpoint-url', session.url, '--region', 'eu-west-1']
    await docker(['login', '-u', 'AWS', '--password-stdin', session.host], await session.run('aws', options))
    await docker(['pull', '--quiet', `${repository}:v1`])
    assert.equal(await inspect(`${repository}:v1`, 'Id'), id)
  },
)

test('docker is told what to do when a repository does not exist', needsEngine(), async () => {
  await login()
  const reference = `${session.host}/no-such-repository:v1`
  await docker(['import', '-', reference], tar({ file: 'content' }))
  await assert.rejects(docker(['push', reference]), /no-such-repository/)
})
