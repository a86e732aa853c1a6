/**
 * Amazon's credential helper for docker and Kubernetes' credential provider for kubelets, unmodified, against a running server: with
 * a key, and with a token of the platform. Neither TLS nor a name server is needed, since both read the endpoint from the environment
 * and trust the address that the server answers. A proxy shows what a program would have sent to other hosts.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { blocksOf, exportsOf, readPage } from '#test/support/documentation.ts'
import { startProxyRecorder } from '#test/support/proxy-recorder.ts'
import { needs, run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { startWebIdentity } from '#test/support/web-identity.ts'

// Amazon's helper answers for hosts of amazonaws.com alone, and only where the address that it is given is one of HTTPS.
const server = await startServer({
  environment: { LADING_DOMAIN: 'amazonaws.com', LADING_PUBLIC_URL: 'https://registry.example' },
})
after(() => server.stop())
const identity = await startWebIdentity(server)
after(() => identity[Symbol.asyncDispose]())
const folder = await temporaryFolder()
after(() => folder[Symbol.asyncDispose]())

const registry = `${server.account}.dkr.ecr.${server.region}.amazonaws.com`

interface Login {
  readonly username: string
  readonly password: string
}

interface Program {
  readonly name: string
  /** What it answers for the server's registry. */
  login(environment: Readonly<Record<string, string>>): Promise<Login>
}

const helper: Program = {
  name: 'docker-credential-ecr-login',
  async login(environment) {
    const answer = await run('docker-credential-ecr-login', ['get'], { env: environment, input: registry })
    // The protocol of docker's credential helpers.
    const { Username, Secret } = JSON.parse(answer) as { Username: string; Secret: string }
    return { username: Username, password: Secret }
  },
}

const provider: Program = {
  name: 'ecr-credential-provider',
  login: (environment) => askProvider({ image: `${registry}/team/app:v1` }, environment),
}

/** What a kubelet writes to the provider, and what it reads from it. */
async function askProvider(request: object, environment: Readonly<Record<string, string>>): Promise<Login> {
  const apiVersion = 'credentialprovider.kubelet.k8s.io/v1'
  const answer = await run('ecr-credential-provider', [], {
    env: environment,
    input: JSON.stringify({ kind: 'CredentialProviderRequest', apiVersion, ...request }),
  })
  const { auth } = JSON.parse(answer) as { auth: Record<string, Login> }
  return auth[registry] ?? assert.fail(answer)
}

const bare = {
  HOME: folder.path,
  AWS_REGION: server.region,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ECR_DISABLE_CACHE: '1',
  AWS_MAX_ATTEMPTS: '1',
  ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: '' },
}
const key = {
  AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
}
const endpoint = { AWS_ENDPOINT_URL: server.url }
const page = await readPage('ci-login.md', server)
/** The variables that the page has its readers set. */
const documented = exportsOf(page, 'AWS_ENDPOINT_')

async function assertOpens({ username, password }: Login): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  assert.equal((await fetch(`${server.url}/v2/`, { headers: { authorization } })).status, 200)
}

async function documentedConfigFile(): Promise<string> {
  const file = join(folder.path, 'config')
  await writeFile(file, blocksOf(page, 'ini').join('\n'))
  return file
}

for (const program of [helper, provider]) {
  const options = needs(program.name)
  test(`${program.name} logs in with a key`, options, async () => {
    await assertOpens(await program.login({ ...bare, ...key, ...endpoint }))
  })

  for (const [place, environment] of [
    ['variables', async () => documented],
    ['config file', async () => ({ AWS_CONFIG_FILE: await documentedConfigFile() })],
  ] as const) {
    test(
      `${program.name} sends its token to no other server, with the ${place} of docs/ci-login.md`,
      options,
      async () => {
        await using proxy = await startProxyRecorder()
        const token = await identity.environment(folder.path)
        const login = program.login({ ...bare, ...token, ...(await environment()), ...proxy.environment })
        await assertOpens(await login)
        assert.deepEqual([...proxy.hosts], [])
      },
    )
  }

  // A fact that docs/ci-login.md states. Where this test fails the program has changed, and the page can say less.
  test(`${program.name} sends the token to AWS, if AWS_ENDPOINT_URL alone names the server`, options, async () => {
    await using proxy = await startProxyRecorder()
    const token = await identity.environment(folder.path)
    await assert.rejects(program.login({ ...bare, ...token, ...endpoint, ...proxy.environment }))
    assert.deepEqual([...proxy.hosts], [`sts.${server.region}.amazonaws.com`])
  })
}

test('ecr-credential-provider logs in with the service account token of a pod', needs(provider.name), async () => {
  const image = `${registry}/team/app:v1`
  const serviceAccountAnnotations = { 'eks.amazonaws.com/ecr-role-arn': identity.roleArn }
  const ask = (serviceAccountToken: string) =>
    askProvider({ image, serviceAccountToken, serviceAccountAnnotations }, { ...bare, ...documented })
  await assertOpens(await ask(await identity.token()))
  await assert.rejects(ask(await identity.strangeToken()), /AccessDenied/)
})
