/**
 * docs/pull-through.md, "As a mirror", as it stands: containerd, podman, Docker and the BuildKit in its engine pull images by their names
 * upstream. What they pull was pushed below the prefix of a rule. A proxy records what they would ask the internet.
 */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { startContainerd } from '#test/support/containerd.ts'
import { type DockerEngine, startDockerEngine } from '#test/support/docker-engine.ts'
import { blocksOf, exportsOf, readPage } from '#test/support/documentation.ts'
import { type Image, image, layer } from '#test/support/images/build.ts'
import { tar } from '#test/support/images/tar.ts'
import { type OciClient, openOciClient } from '#test/support/oci-client.ts'
import { type ProxyRecorder, startProxyRecorder } from '#test/support/proxy-recorder.ts'
import { pushImage } from '#test/support/push.ts'
import { inContinuousIntegration, needs, run } from '#test/support/run.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { startTlsFront } from '#test/support/tls-front.ts'

const motd = (text: string) => image({ format: 'docker', layers: [layer({ 'etc/motd': text })] })
const alpine = motd('alpine')

suite('docs/pull-through.md, "As a mirror"', () => {
  let server: RunningServer
  let client: OciClient
  let ecr: ECR
  /** The server by a name at which it is no mirror. */
  let plain: string
  let page: string
  let files: readonly string[]
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let proxy: ProxyRecorder
  let user: string

  before(async () => {
    page = await readPage('pull-through.md', { host: '' })
    page = page.slice(page.indexOf('## As a mirror'), page.indexOf('## Networks'))
    const settings = exportsOf(page, 'LADING_')
    assert.deepEqual(Object.keys(settings), ['LADING_DOMAIN', 'LADING_MIRRORS', 'LADING_ANONYMOUS_PULL'])
    server = await startServer({
      environment: {
        ...settings,
        // 127.0.0.1 is then the label 127 below the domain 0.0.1: the host of a mirror that needs no DNS.
        LADING_DOMAIN: '0.0.1',
        LADING_MIRRORS: String(settings.LADING_MIRRORS).replace(/^hub=/, '127='),
        LADING_ANONYMOUS_PULL: '127.0.0.0/8',
      },
    })
    plain = server.host.replace('127.0.0.1', 'localhost')
    client = await openOciClient(server)
    user = Buffer.from(client.registry.authorization.slice('Basic '.length), 'base64').toString()
    files = blocksOf(page, 'toml')
    folder = await temporaryFolder()
    await writeFile(join(folder.path, 'auth.json'), '{}')
    proxy = await startProxyRecorder()

    const options = { endpoint: server.url, region: server.region, credentials: server.credentials }
    ecr = new ECR(options)
    const secrets = new SecretsManager(options)
    const { ARN: credentialArn } = await secrets.createSecret({
      Name: 'ecr-pullthroughcache/docker-hub',
      SecretString: JSON.stringify({ username: 'someone', accessToken: 'secret' }),
    })
    secrets.destroy()
    const rules = [
      { ecrRepositoryPrefix: 'docker-hub', upstreamRegistryUrl: 'registry-1.docker.io', credentialArn },
      { ecrRepositoryPrefix: 'quay', upstreamRegistryUrl: 'quay.io' },
    ]
    for (const rule of rules) await ecr.createPullThroughCacheRule(rule)
    await push('docker-hub/library/alpine', alpine)
  })
  after(async () => {
    ecr.destroy()
    await proxy[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
    await client[Symbol.asyncDispose]()
    await server.stop()
  })

  async function push(repository: string, pushed: Image): Promise<void> {
    await client.createRepository(repository)
    await pushImage({ ...client.registry, url: `http://${plain}` }, repository, pushed, 'v1')
  }

  async function openMirror(): Promise<void> {
    const [, policyText] = /^cat > mirror-policy\.json <<'END'\n(.*?)^END$/ms.exec(page) ?? []
    await ecr.putRegistryPolicy({ policyText })
  }

  suite('containerd', needs('containerd', 'ctr'), () => {
    test('pulls by the host of the image, one file for all rules', async () => {
      await using front = await startTlsFront({ host: plain })
      await using own = await temporaryFolder()
      await using containerd = await startContainerd(own.path)
      const quay = motd('quay')
      await push('quay/quay/busybox', quay)
      const file = (files[0] ?? '')
        .replaceAll('https://registry.example.com', front.url.replace('127.0.0.1', 'localhost'))
        .replaceAll('/etc/lading-ca.crt', selfSigned.certFile)
      for (const host of ['docker.io', 'quay.io', 'gcr.io']) await containerd.setHost(host, file)
      const options = { user, environment: proxy.environment }
      await containerd.pull('docker.io/library/alpine:v1', options)
      await containerd.pull('quay.io/quay/busybox:v1', options)
      assert.deepEqual(
        new Set(await containerd.images()),
        new Set([`docker.io/library/alpine:v1@${alpine.digest}`, `quay.io/quay/busybox:v1@${quay.digest}`]),
      )
      await assert.rejects(
        containerd.pull('gcr.io/library/alpine:v1', options),
        /gcr\.io\/library\/alpine:v1: not found/,
      )
    })

    test('pulls by the prefix in the URL, with a rule for the host and without', async () => {
      await using front = await startTlsFront({ host: plain })
      await using own = await temporaryFolder()
      await using containerd = await startContainerd(own.path)
      const kubernetes = await readPage('kubernetes.md', server)
      const withPrefix = blocksOf(kubernetes, 'toml').find((file) => file.includes('override_path')) ?? ''
      const file = withPrefix
        .replaceAll('https://registry.example.com', front.url.replace('127.0.0.1', 'localhost'))
        .replaceAll('/etc/lading-ca.crt', selfSigned.certFile)
      await containerd.setHost('docker.io', file)
      await containerd.setHost('gcr.io', file.replaceAll('docker-hub', 'by-hand'))
      await push('by-hand/some/tool', alpine)
      const options = { user, environment: proxy.environment }
      await containerd.pull('docker.io/library/alpine:v1', options)
      await containerd.pull('gcr.io/some/tool:v1', options)
      assert.equal((await containerd.images()).length, 2)
    })
  })

  suite('podman', needs('podman'), () => {
    const podman = async (args: readonly string[], more: Record<string, string> = {}) => {
      const [root, runRoot] = [join(folder.path, 'podman'), join(folder.path, 'podman-run')]
      const storage = ['--root', root, '--runroot', runRoot, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs']
      const configuration = join(folder.path, 'registries.conf')
      const insecure = 'insecure = true\n'
      await writeFile(configuration, (files[1] ?? '').replace('registry.example.com', plain) + insecure)
      const env = {
        ...{ HOME: folder.path, XDG_RUNTIME_DIR: folder.path, REGISTRY_AUTH_FILE: join(folder.path, 'auth.json') },
        ...{ CONTAINERS_REGISTRIES_CONF: configuration, ...proxy.environment, ...more },
      }
      return (await run('podman', [...storage, '--events-backend', 'none', ...args], { env })).trim()
    }
    const forget = async () => podman(['rmi', '--all', '--force'])

    test('pulls by the prefix in registries.conf', async () => {
      await assert.rejects(podman(['pull', '--quiet', 'docker.io/library/alpine:v1']), /unauthorized/)
      const [, password = ''] = user.split(/:(.*)/s)
      await podman(['login', '--tls-verify=false', '-u', 'AWS', '-p', password, plain])
      await podman(['pull', '--quiet', 'docker.io/library/alpine:v1'])
      const digests = await podman(['image', 'inspect', '--format', '{{.Digest}}', 'docker.io/library/alpine:v1'])
      assert.equal(digests, alpine.digest)
      await forget()
    })

    test('pulls without credentials where a policy opens that to everybody', async () => {
      await openMirror()
      await podman(['logout', '--all'])
      await podman(['pull', '--quiet', 'docker.io/library/alpine:v1'])
      await forget()
      await ecr.deleteRegistryPolicy({})
    })
  })

  test('crane pulls without credentials where a policy opens that to everybody', needs('crane'), async () => {
    await openMirror()
    const digest = await run('crane', ['digest', '--insecure', `${plain}/docker-hub/library/alpine:v1`], {
      env: { HOME: folder.path, DOCKER_CONFIG: folder.path },
    })
    assert.equal(digest.trim(), alpine.digest)
    await ecr.deleteRegistryPolicy({})
  })

  suite('Docker', needs('docker', 'dockerd'), () => {
    let engine: DockerEngine | undefined

    before(async () => {
      const own = join(folder.path, 'engine')
      await mkdir(own)
      const [settings = ''] = blocksOf(page, 'json')
      try {
        engine = await startDockerEngine(own, {
          settings: settings.replace('https://hub.registry.example.com', `http://${server.host}`),
          environment: proxy.environment,
        })
      } catch (error) {
        if (inContinuousIntegration) throw error
      }
    })
    after(() => engine?.[Symbol.asyncDispose]())

    async function docker(args: readonly string[], input?: string): Promise<string> {
      const own = join(folder.path, 'docker')
      const env = { HOME: folder.path, DOCKER_CONFIG: own, DOCKER_HOST: engine?.host ?? '' }
      return (await run('docker', args, { env, input })).trim()
    }

    test('pulls through the host of a mirror, without credentials', async (t) => {
      if (engine === undefined) return t.skip('dockerd does not run here')
      await assert.rejects(docker(['pull', '--quiet', 'alpine:v1']), /registry-1\.docker\.io/)
      assert.ok(proxy.hosts.has('registry-1.docker.io'), 'Docker asks Docker Hub for what a mirror refuses')
      await openMirror()
      await docker(['pull', '--quiet', 'alpine:v1'])
      const digests = await docker(['image', 'inspect', '--format', '{{join .RepoDigests " "}}', 'alpine:v1'])
      assert.equal(digests, `alpine@${alpine.digest}`)
      await docker(['image', 'rm', '--force', 'alpine:v1'])
    })

    test('logs in, pulls and pushes at the other host as from any network', async (t) => {
      if (engine === undefined) return t.skip('dockerd does not run here')
      const [, password = ''] = user.split(/:(.*)/s)
      const login = (given: string) => docker(['login', '-u', 'AWS', '--password-stdin', plain], given)
      await assert.rejects(login('wrong'), /401 Unauthorized/)
      await login(password)
      await client.createRepository('team/app')
      await docker(['pull', '--quiet', `${plain}/docker-hub/library/alpine:v1`])
      await docker(['tag', `${plain}/docker-hub/library/alpine:v1`, `${plain}/team/app:v1`])
      await docker(['push', '--quiet', `${plain}/team/app:v1`])
      await docker(['image', 'rm', '--force', `${plain}/docker-hub/library/alpine:v1`, `${plain}/team/app:v1`])
    })

    test('BuildKit in the engine builds from an image of the mirror', async (t) => {
      if (engine === undefined) return t.skip('dockerd does not run here')
      await openMirror()
      const Dockerfile = 'FROM alpine:v1\nLABEL built=here\n'
      const { status, text } = await build(engine.host.replace('unix://', ''), tar({ Dockerfile }))
      assert.equal(status, 200, text)
      assert.equal(await docker(['image', 'inspect', '--format', '{{.Config.Labels.built}}', 'built:v1']), 'here')
    })
  })
})

/** Docker's own program asks BuildKit by a plug-in that not every machine has. This is the engine's API itself. */
async function build(socketPath: string, context: Buffer): Promise<{ status: number | undefined; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; text: string }>()
  const path = '/build?version=2&t=built:v1&networkmode=none'
  const headers = { 'content-type': 'application/x-tar' }
  request({ socketPath, method: 'POST', path, headers }, (answer) => {
    buffer(answer).then((body) => resolve({ status: answer.statusCode, text: body.toString() }), reject)
  })
    .on('error', reject)
    .end(context)
  return promise
}
