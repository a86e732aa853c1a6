/** `lading login-password` and `docker-credential-lading`: a password for the server's own hosts, and none for others. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { commandsOver } from '#test/support/command.ts'
import { askHelper } from '#test/support/credential-helper.ts'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { startWebIdentity, type WebIdentity } from '#test/support/web-identity.ts'

const notFound = 'credentials not found in native keychain\n'

describe('passwords for docker', () => {
  let server: RunningServer
  let identity: WebIdentity
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let bare: Readonly<Record<string, string>>
  let keyed: Readonly<Record<string, string>>

  before(async () => {
    server = await startServer({
      environment: { LADING_DOMAIN: 'registry.example', LADING_PUBLIC_URL: 'https://registry.example' },
    })
    identity = await startWebIdentity(server)
    folder = await temporaryFolder()
    bare = {
      HOME: folder.path,
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: server.region,
      ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: '' },
    }
    keyed = {
      ...bare,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    }
  })
  after(async () => {
    await identity[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
    await server.stop()
  })

  async function assertOpens(username: string, password: string, host = server.host): Promise<void> {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    const answer = await fetch(`${server.url}/v2/`, { headers: { authorization, host } })
    assert.equal(answer.status, 200)
  }

  /** What the helper prints for a host that is the server's. */
  async function credentialsFor(host: string, environment = keyed) {
    const { code, output, errors } = await askHelper(['get'], `${host}\n`, environment)
    assert.deepEqual({ code, errors }, { code: 0, errors: '' }, output)
    return JSON.parse(output) as { ServerURL: string; Username: string; Secret: string }
  }

  test('login-password prints a password, alone or with all about it', async () => {
    const lading = commandsOver(keyed)
    const printed = await lading.run('login-password')
    assert.match(printed, /^\S+\n$/)
    await assertOpens('AWS', printed.trimEnd())
    const { username, password, ...more } = (await lading.json('login-password')) as Record<
      'username' | 'password' | 'proxyEndpoint' | 'expiresAt',
      string
    >
    await assertOpens(username, password)
    assert.equal(more.proxyEndpoint, `https://${server.account}.dkr.ecr.${server.region}.registry.example`)
    const hours = (Date.parse(more.expiresAt) - Date.now()) / 3_600_000
    assert.ok(hours > 11.9 && hours <= 12, more.expiresAt)
  })

  test('a command exchanges a web identity token at its own server, from variables or a profile', async () => {
    const variables = await identity.environment(folder.path)
    // An endpoint of another STS changes nothing: its credentials would be of no use here.
    const elsewhere = { AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' }
    const fromVariables = await commandsOver({ ...bare, ...elsewhere, ...variables }).run('login-password')
    await assertOpens('AWS', fromVariables.trimEnd())

    const config = join(folder.path, 'config')
    const { AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE = '' } = variables
    await writeFile(
      config,
      `[profile job]\nrole_arn = ${AWS_ROLE_ARN}\nweb_identity_token_file = ${AWS_WEB_IDENTITY_TOKEN_FILE}\n`,
    )
    const fromProfile = await commandsOver({ ...bare, AWS_CONFIG_FILE: config }).run(
      'login-password',
      '--profile',
      'job',
    )
    await assertOpens('AWS', fromProfile.trimEnd())

    await writeFile(AWS_WEB_IDENTITY_TOKEN_FILE, await identity.strangeToken())
    const refusal = await commandsOver({ ...bare, ...variables }).refusal('login-password')
    assert.match(
      refusal,
      /did not exchange the token in .*token\.jwt for arn:aws:iam::000000000000:role\/puller: Not authorized/,
    )
    const missing = { ...variables, AWS_WEB_IDENTITY_TOKEN_FILE: join(folder.path, 'none.jwt') }
    assert.match(await commandsOver({ ...bare, ...missing }).refusal('login-password'), /cannot be read: ENOENT/)
    assert.match(await commandsOver(bare).refusal('login-password'), /there are no credentials: .* AWS_ROLE_ARN and/)
  })

  test('the helper answers for the endpoint, for named hosts and for registries of the server’s domain', async () => {
    const named = { ...keyed, DOCKER_CREDENTIAL_LADING_HOSTS: 'mirror.example:5000, second.example' }
    for (const [host, environment] of [
      [server.host, keyed],
      [`http://${server.host}`, keyed],
      [`${server.account}.dkr.ecr.${server.region}.registry.example`, keyed],
      ['mirror.example:5000', named],
      ['second.example', named],
    ] as const) {
      const { ServerURL, Username, Secret } = await credentialsFor(host, environment)
      assert.deepEqual([ServerURL, Username], [host, 'AWS'])
      await assertOpens(Username, Secret)
    }
    const ofJob = await credentialsFor(server.host, { ...bare, ...(await identity.environment(folder.path)) })
    await assertOpens('AWS', ofJob.Secret)
  })

  test('for the host of a registry the token is of its region', async () => {
    const { Secret } = await credentialsFor(`123456789012.dkr.ecr.eu-central-1.registry.example`)
    const { payload } = JSON.parse(Buffer.from(Secret, 'base64').toString()) as { payload: string }
    assert.match(Buffer.from(payload, 'base64').toString(), /"region":"eu-central-1"/)
  })

  test('for all other hosts there are no credentials, in the words of the protocol, and nothing else', async () => {
    for (const host of [
      'https://index.docker.io/v1/',
      '000000000000.dkr.ecr.us-east-1.amazonaws.com',
      `evil.example/${server.host}`,
    ]) {
      const answer = await askHelper(['get'], host, keyed)
      assert.deepEqual(answer, { code: 1, output: notFound, errors: '' }, host)
    }
    // Not even where the server is down.
    const down = { ...keyed, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }
    assert.deepEqual(await askHelper(['get'], 'ghcr.io', down), { code: 1, output: notFound, errors: '' })
    const empty = await askHelper(['get'], '\n', keyed)
    assert.deepEqual(empty, { code: 1, output: 'no credentials server URL\n', errors: '' })
  })

  test('why there is no password for a host of the server is said where clients and people look', async () => {
    const wrong = { ...keyed, AWS_SECRET_ACCESS_KEY: 'a-secret-that-is-wrong' }
    const refused = await askHelper(['get'], server.host, wrong)
    assert.match(refused.output, /^The request signature we calculated does not match/)
    assert.deepEqual([refused.code, refused.errors], [1, `lading: ${refused.output}`])
    assert.ok(!refused.output.includes('a-secret-that-is-wrong'))
    const down = await askHelper(['get'], '127.0.0.1:1', { ...keyed, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' })
    assert.match(down.output, /^http:\/\/127\.0\.0\.1:1 gave no answer: /)
    const nowhere = await askHelper(['get'], server.host, { ...keyed, AWS_ENDPOINT_URL: '' })
    assert.deepEqual([nowhere.code, nowhere.output], [1, notFound])
    assert.match(nowhere.errors, /^lading: which server is not said/)
  })

  test('a profile of its own lets one shell use ECR at AWS too', async () => {
    const files = { AWS_CONFIG_FILE: join(folder.path, 'own'), AWS_SHARED_CREDENTIALS_FILE: join(folder.path, 'none') }
    const { accessKeyId, secretAccessKey } = server.credentials
    await writeFile(
      files.AWS_CONFIG_FILE,
      `[profile lading]\nendpoint_url = ${server.url}\nregion = ${server.region}\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    )
    const ofAws = { AWS_ENDPOINT_URL: '', AWS_ACCESS_KEY_ID: 'AKIAOFAWS', AWS_SECRET_ACCESS_KEY: 'secret-of-aws' }
    const environment = { ...keyed, ...ofAws, ...files, DOCKER_CREDENTIAL_LADING_PROFILE: 'lading' }
    await assertOpens('AWS', (await credentialsFor(server.host, environment)).Secret)
  })

  test('a services section of the config file names the server, as docs/ci-login.md has it', async () => {
    const page = await readPage('ci-login.md', server)
    const environment = { ...keyed, AWS_ENDPOINT_URL: '', AWS_CONFIG_FILE: join(folder.path, 'services') }
    await writeFile(environment.AWS_CONFIG_FILE, blocksOf(page, 'ini').join('\n'))
    await assertOpens('AWS', (await credentialsFor(server.host, environment)).Secret)
  })

  test('nothing is stored: a login at the server is accepted, any other refused; erase and list work', async () => {
    const stored = (ServerURL: string, Username = 'AWS') =>
      askHelper(['store'], JSON.stringify({ ServerURL, Username, Secret: 'a-password' }), keyed)
    assert.deepEqual(await stored(server.host), { code: 0, output: '', errors: '' })
    const other = await stored('ghcr.io')
    assert.deepEqual([other.code, other.errors], [1, ''])
    assert.match(other.output, /^docker-credential-lading stores no passwords: name another helper for ghcr\.io/)
    assert.equal((await stored(server.host, 'alice')).code, 1)
    assert.equal((await askHelper(['store'], 'no json', keyed)).output, 'no credentials server URL\n')
    assert.deepEqual(await askHelper(['erase'], server.host, keyed), { code: 0, output: '', errors: '' })
    const { code, output } = await askHelper(['list'], '', {
      ...keyed,
      DOCKER_CREDENTIAL_LADING_HOSTS: 'mirror.example',
    })
    assert.deepEqual([code, JSON.parse(output)], [0, { [server.host]: 'AWS', 'mirror.example': 'AWS' }])
  })
})
