/**
 * containerd against a running server, with the files of docs/kubernetes.md: pulls by HTTPS under a name that only containerd knows, and
 * through a mirror of Docker Hub.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { IAM } from '@aws-sdk/client-iam'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { type Containerd, startContainerd } from '#test/support/containerd.ts'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { type Image, image, index, layer } from '#test/support/images/build.ts'
import { type OciClient, openOciClient } from '#test/support/oci-client.ts'
import { startProxyRecorder } from '#test/support/proxy-recorder.ts'
import { pushImage } from '#test/support/push.ts'
import { needs } from '#test/support/run.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { startTlsFront, type TlsFront } from '#test/support/tls-front.ts'

const motd = (text: string) => image({ layers: [layer({ 'etc/motd': text })] })

suite('containerd', needs('containerd', 'ctr'), () => {
  let server: RunningServer
  let client: OciClient
  let front: TlsFront
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let containerd: Containerd
  let files: readonly string[]
  let user: string
  let nodeKey: string

  before(async () => {
    server = await startServer({ environment: { LADING_ACCESS_KEY_LOGIN: 'on' } })
    client = await openOciClient(server)
    front = await startTlsFront(server)
    folder = await temporaryFolder()
    containerd = await startContainerd(folder.path)
    user = Buffer.from(client.registry.authorization.slice('Basic '.length), 'base64').toString()
    const iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
    await iam.createUser({ UserName: 'nodes' })
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
    await iam.attachUserPolicy({ UserName: 'nodes', PolicyArn })
    const { AccessKey } = await iam.createAccessKey({ UserName: 'nodes' })
    iam.destroy()
    nodeKey = Buffer.from(`${AccessKey?.AccessKeyId}:${AccessKey?.SecretAccessKey}`).toString('base64')
    files = blocksOf(await readPage('kubernetes.md', server), 'toml').map((file) =>
      file
        .replaceAll('https://registry.example.com', front.url)
        .replaceAll('/etc/lading-ca.crt', selfSigned.certFile)
        .replaceAll(/Basic [\w+/=]+/g, `Basic ${nodeKey}`),
    )
  })
  after(async () => {
    await containerd[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
    await front[Symbol.asyncDispose]()
    await client[Symbol.asyncDispose]()
    await server.stop()
  })

  async function push(repository: string, pushed: Image): Promise<void> {
    await pushImage(client.registry, await client.createRepository(repository), pushed, 'v1')
  }

  async function assertHas(name: string, { digest }: Pick<Image, 'digest'>): Promise<void> {
    const images = await containerd.images()
    assert.ok(images.includes(`${name}@${digest}`), images.join('\n'))
  }

  test('a pull by HTTPS, with a CA of one’s own and a password', async () => {
    const pushed = index({ children: [motd('amd64')] })
    await push('team/app', pushed)
    await containerd.setHost('registry.example.com', files[0] ?? '')
    const name = 'registry.example.com/team/app:v1'
    await containerd.pull(name, { user })
    await assertHas(name, pushed)
    await assert.rejects(containerd.pull(name), /401 Unauthorized/)
  })

  test('what is missing is said to be so, with the CA at the top of the file too', async () => {
    await containerd.setHost('registry.example.com', files[0] ?? '')
    const missing = 'registry.example.com/team/app:none'
    await assert.rejects(containerd.pull(missing, { user }), /none: not found/)
    const inHostAlone = (files[0] ?? '').replace(/^ca = .*\n/m, '')
    await containerd.setHost('registry.example.com', inHostAlone)
    await assert.rejects(containerd.pull(missing, { user }), /x509: certificate signed by unknown authority/)
  })

  test('a mirror of Docker Hub below a prefix, and nothing asked of Docker Hub', async () => {
    const pushed = motd('mirrored')
    await push('docker-hub/library/alpine', pushed)
    await containerd.setHost('docker.io', files[1] ?? '')
    await using proxy = await startProxyRecorder()
    const options = { user, environment: proxy.environment }
    await containerd.pull('docker.io/library/alpine:v1', options)
    await assertHas('docker.io/library/alpine:v1', pushed)
    await assert.rejects(containerd.pull('docker.io/library/absent:v1', options), /absent:v1: not found/)
    assert.deepEqual([...proxy.hosts], [])
    // The trap that the page warns of: what is missing is then asked of Docker Hub, with the same login.
    const fallingBack = (files[1] ?? '').replace(/^server = .*$/m, 'server = "https://registry-1.docker.io"')
    await containerd.setHost('docker.io', fallingBack.replace(/^override_path = true\n/m, ''))
    await assert.rejects(containerd.pull('docker.io/library/absent:v1', options))
    assert.deepEqual([...proxy.hosts], ['registry-1.docker.io'])
  })

  test('a mirror of Docker Hub without a prefix', async () => {
    const pushed = motd('at the root')
    await push('library/busybox', pushed)
    const withoutPrefix = (files[1] ?? '')
      .replaceAll('/v2/docker-hub', '')
      .replaceAll(/^ *override_path = true\n/gm, '')
    await containerd.setHost('docker.io', withoutPrefix)
    await containerd.pull('docker.io/library/busybox:v1', { user })
    await assertHas('docker.io/library/busybox:v1', pushed)
  })

  test('a login in a header of the file, by an access key', async () => {
    const pushed = motd('by header')
    await push('docker-hub/team/tool', pushed)
    await containerd.setHost('docker.io', files[2] ?? '')
    await containerd.pull('docker.io/team/tool:v1')
    await assertHas('docker.io/team/tool:v1', pushed)
  })
})
