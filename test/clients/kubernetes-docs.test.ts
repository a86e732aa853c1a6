/**
 * What docs/kubernetes.md says, as far as it runs without a cluster: its files are valid YAML, the credential provider runs with the
 * variables of kubelet's files, and commands run beside a `kubectl` that records what it is asked. `containerd.test.ts` has its other files.
 */
import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { IAM } from '@aws-sdk/client-iam'
import { parseAllDocuments } from 'yaml'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { type OidcIssuer, startOidcIssuer } from '#test/support/oidc-issuer.ts'
import { needs, run } from '#test/support/run.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { startTlsFront, type TlsFront } from '#test/support/tls-front.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** As far as they are read here. */
interface Provider {
  readonly matchImages: readonly string[]
  readonly env: readonly Variable[]
  readonly tokenAttributes?: {
    readonly serviceAccountTokenAudience: string
    readonly requiredServiceAccountAnnotationKeys: readonly string[]
  }
}
interface Variable {
  readonly name: string
  readonly value: string
}
interface Resource {
  readonly kind: string
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly providers: readonly Provider[]
  readonly spec: {
    readonly jobTemplate: {
      readonly spec: {
        readonly template: {
          readonly spec: {
            readonly containers: readonly { readonly args: readonly string[]; readonly env: readonly Variable[] }[]
          }
        }
      }
    }
  }
}

suite('docs/kubernetes.md', () => {
  let server: RunningServer
  let front: TlsFront
  let issuer: OidcIssuer
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let page: string
  let resources: readonly Resource[]
  let bare: Readonly<Record<string, string>>

  before(async () => {
    server = await startServer({
      environment: { LADING_DOMAIN: 'registry.example.com', LADING_ACCESS_KEY_LOGIN: 'on' },
    })
    front = await startTlsFront(server)
    issuer = await startOidcIssuer()
    folder = await temporaryFolder()
    const iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
    await iam.createUser({ UserName: 'nodes' })
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
    await iam.attachUserPolicy({ UserName: 'nodes', PolicyArn })
    const { AccessKey } = await iam.createAccessKey({ UserName: 'nodes' })
    iam.destroy()
    page = (await readPage('kubernetes.md', server))
      .replaceAll('https://registry.example.com', front.url)
      .replaceAll('/etc/lading-ca.crt', selfSigned.certFile)
      .replaceAll('/etc/lading-credentials', join(folder.path, 'credentials'))
      .replaceAll('/var/run/secrets/lading/token', join(folder.path, 'token'))
      .replaceAll('kubernetes.example.com', issuer.url.replace('https://', ''))
      .replaceAll('AKIAEXAMPLEEXAMPLE12', AccessKey?.AccessKeyId ?? '')
      .replaceAll('the-secret-of-the-nodes', AccessKey?.SecretAccessKey ?? '')
    const documents = blocksOf(page, 'yaml').flatMap((block) => parseAllDocuments(block))
    assert.deepEqual(
      documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]),
      [],
    )
    resources = documents.map((document) => document.toJS() as Resource)

    const bin = join(folder.path, 'bin')
    await mkdir(bin)
    const program = async (name: string, lines: string) => {
      await writeFile(join(bin, name), `#!/bin/sh\n${lines}\n`)
      await chmod(join(bin, name), 0o700)
    }
    await program('lading', `exec "${process.execPath}" "${join(root, 'bin/lading.js')}" "$@"`)
    // An aws that is older than AWS_ENDPOINT_URL takes it as an option.
    const path = JSON.stringify(process.env.PATH)
    await program('aws', `PATH=${path} exec aws --endpoint-url ${server.url} "$@"`)
    await program(
      'kubectl',
      // A log for each subcommand: two of them run at once in a pipe.
      `for word; do echo "$word"; done >"kubectl-$1.log"; [ "$1" = apply ] && cat >>kubectl-apply.log; exit 0`,
    )
    bare = {
      ...{ HOME: folder.path, AWS_EC2_METADATA_DISABLED: 'true', AWS_PAGER: '', AWS_MAX_ATTEMPTS: '1' },
      ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      PATH: `${bin}${delimiter}${process.env.PATH}`,
    }
  })
  after(async () => {
    await folder[Symbol.asyncDispose]()
    await issuer[Symbol.asyncDispose]()
    await front[Symbol.asyncDispose]()
    await server.stop()
  })

  const shell = (script: string, environment: Readonly<Record<string, string>>) =>
    run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder.path, env: { ...bare, ...environment } })
  const environmentOf = (variables: readonly Variable[]) =>
    Object.fromEntries(variables.map(({ name, value }) => [name, value]))
  const commandWith = (word: string) =>
    blocksOf(page, 'sh').find((block) => block.includes(word)) ?? assert.fail(`no command with ${word}`)

  async function assertOpens(username: string, password: string): Promise<void> {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    assert.equal((await fetch(`${server.url}/v2/`, { headers: { authorization } })).status, 200)
  }

  /** The provider's answer, by the page's own command. */
  async function askProvider(image: string, more: object, environment: Readonly<Record<string, string>>) {
    const request = `"image":"${image}"${JSON.stringify(more)
      .replace(/^\{(?!\})/, ',')
      .replace(/^\{\}$|\}$/, '')}`
    const command = commandWith('CredentialProviderRequest').replace(/"image":"[^"]*"/, () => request)
    const { auth } = JSON.parse(await shell(command, environment)) as {
      auth: Record<string, { username: string; password: string }>
    }
    const [host = ''] = image.split('/')
    return auth[host] ?? assert.fail(`${host} is not among ${Object.keys(auth)}`)
  }

  const images = ['registry.example.com/team/app:v1', '000000000000.dkr.ecr.us-east-1.registry.example.com/team/app:v1']
  const providersOf = (documents: readonly Resource[]) =>
    documents.filter(({ kind }) => kind === 'CredentialProviderConfig').flatMap(({ providers }) => providers)

  test('both files of kubelet match the images that the page names', () => {
    const providers = providersOf(resources)
    assert.equal(providers.length, 2)
    for (const { matchImages } of providers)
      for (const image of images)
        assert.ok(
          matchImages.some((each) => isMatch(each, image)),
          image,
        )
  })

  test('no variables of the page leave a token to the STS of AWS', () => {
    for (const { env } of providersOf(resources)) {
      const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS } = environmentOf(env)
      assert.deepEqual([AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS], [front.url, front.url])
    }
  })

  test(
    'the provider answers with the variables and the key of the first file',
    needs('ecr-credential-provider'),
    async () => {
      const [provider] = providersOf(resources)
      await writeFile(join(folder.path, 'credentials'), blocksOf(page, 'ini').join(''))
      for (const image of images) {
        const { username, password } = await askProvider(image, {}, environmentOf(provider?.env ?? []))
        await assertOpens(username, password)
      }
    },
  )

  test(
    'the provider answers for a pod, with the role and the second file',
    needs('aws', 'ecr-credential-provider'),
    async () => {
      const { accessKeyId, secretAccessKey } = server.credentials
      const administrator = {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_REGION: server.region,
      }
      await shell(commandWith('create-open-id-connect-provider'), {
        ...administrator,
        AWS_DEFAULT_REGION: server.region,
      })
      const [, provider] = providersOf(resources)
      const { serviceAccountTokenAudience: aud, requiredServiceAccountAnnotationKeys: keys = [] } =
        provider?.tokenAttributes ?? {}
      const account = resources.find(({ kind }) => kind === 'ServiceAccount')
      const serviceAccountAnnotations = Object.fromEntries(
        keys.map((key) => [key, account?.metadata.annotations?.[key]]),
      )
      const ask = async (sub: string) => {
        const serviceAccountToken = await issuer.token({ sub, ...(aud !== undefined && { aud }) })
        const pod = { serviceAccountToken, serviceAccountAnnotations }
        return await askProvider(images[0] ?? '', pod, environmentOf(provider?.env ?? []))
      }
      const { username, password } = await ask('system:serviceaccount:team:app')
      await assertOpens(username, password)
      await assert.rejects(ask('system:serviceaccount:team:other'), /AccessDenied/)

      // The job that renews a pull secret has the same role, here with the subject of the page's commands.
      const job = resources.find(({ kind }) => kind === 'CronJob')?.spec.jobTemplate.spec.template.spec.containers[0]
      await writeFile(
        join(folder.path, 'token'),
        await issuer.token({ sub: 'system:serviceaccount:team:app', aud: 'lading' }),
      )
      await shell(job?.args.join('\n') ?? '', environmentOf(job?.env ?? []))
      const asked = await readFile(join(folder.path, 'kubectl-create.log'), 'utf8')
      assert.match(asked, /^create\nsecret\ndocker-registry\nlading\n.*^--docker-server=registry\.example\.com\n/ms)
      assert.match(await readFile(join(folder.path, 'kubectl-apply.log'), 'utf8'), /^apply\n--filename=-\n/)
      await assertOpens('AWS', /^--docker-password=(.*)$/m.exec(asked)?.[1] ?? '')
    },
  )

  test('an access key in a pull secret opens the registry', async () => {
    await shell(commandWith('kubectl create secret'), {})
    const asked = await readFile(join(folder.path, 'kubectl-create.log'), 'utf8')
    const [, username = ''] = /^--docker-username=(.*)$/m.exec(asked) ?? []
    const [, password = ''] = /^--docker-password=(.*)$/m.exec(asked) ?? []
    await assertOpens(username, password)
    const [, printed = ''] = /what `(printf [^`]*)` prints/.exec(page) ?? []
    assert.equal((await shell(printed, {})).trim(), Buffer.from(`${username}:${password}`).toString('base64'))
  })
})

/** kubelet's rule for `matchImages`: as many labels as the image's host, each matched by itself (kubelet configuration, v1). */
function isMatch(pattern: string, image: string): boolean {
  const [host = ''] = image.split('/')
  const [globs, labels] = [pattern.split('.'), host.split('.')]
  return globs.length === labels.length && globs.every((glob, place) => glob === '*' || glob === labels[place])
}
