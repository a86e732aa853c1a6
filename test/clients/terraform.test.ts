/**
 * Terraform and its AWS provider against a running server: what is applied is planned again without a difference, changed, imported
 * and destroyed, for every resource and data source of ECR that the provider has, and those of IAM that a registry needs.
 */
import assert from 'node:assert/strict'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { IAM } from '@aws-sdk/client-iam'
import { callAdmin } from '#test/support/admin.ts'
import { exportsOf, readPage } from '#test/support/documentation.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { startProxyRecorder } from '#test/support/proxy-recorder.ts'
import type { RunningServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { needsTerraform, openTerraform, providerVersion, type Terraform } from '#test/support/terraform.ts'
import { openSecrets } from '#test/support/upstream-secret.ts'
import { startWebIdentity } from '#test/support/web-identity.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixtures = join(root, 'test', 'fixtures', 'terraform')

/** What the provider has, and a registry has no use for. */
const ofNoUse = [
  'data aws_iam_account_alias',
  'data aws_iam_instance_profile',
  'data aws_iam_instance_profiles',
  'data aws_iam_principal_policy_simulation',
  'data aws_iam_saml_provider',
  'data aws_iam_server_certificate',
  'data aws_iam_user_ssh_key',
  'resource aws_iam_account_alias',
  'resource aws_iam_account_password_policy',
  'resource aws_iam_instance_profile',
  'resource aws_iam_organizations_features',
  'resource aws_iam_saml_provider',
  'resource aws_iam_security_token_service_preferences',
  'resource aws_iam_server_certificate',
  'resource aws_iam_service_linked_role',
  'resource aws_iam_service_specific_credential',
  'resource aws_iam_signing_certificate',
  'resource aws_iam_user_login_profile',
  'resource aws_iam_user_ssh_key',
  'resource aws_iam_virtual_mfa_device',
  // What the part of Secrets Manager that Lading serves leaves out.
  'data aws_secretsmanager_secret_rotation',
  'resource aws_secretsmanager_secret_policy',
  'resource aws_secretsmanager_secret_rotation',
]

suite('Terraform', { ...needsTerraform(), timeout: 540_000 }, () => {
  let session: EcrSession
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  before(async () => {
    session = await startEcrSession()
    folder = await temporaryFolder()
  })
  after(async () => {
    await session[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  /** Terraform, initialized in a folder of its own with this configuration. */
  const start = async (
    name: string,
    write: (path: string) => Promise<void>,
    environment: Readonly<Record<string, string>> = {},
  ) => {
    const path = join(folder.path, name)
    await mkdir(path)
    await write(path)
    const terraform = await openTerraform(path, session.server, environment)
    await terraform('init', '-no-color')
    return { path, terraform }
  }

  test('resources and data sources are applied, changed, imported and destroyed, and never differ when planned again', async () => {
    const { ecr, server } = session
    const pushed = await session.repository()
    const v1 = image()
    await session.push(pushed, v1, 'v1')
    const { path, terraform } = await start('every', (to) =>
      cp(join(fixtures, 'configuration'), to, { recursive: true }),
    )
    const variables = [`-var=endpoint=${server.url}`, `-var=pushed=${pushed}`]
    assert.deepEqual(await configured(path), await ofTheProvider(terraform))

    await apply(terraform, variables, /\d+ added, 0 changed, 0 destroyed/)
    await assertNoDifference(terraform, variables)
    const outputs = await outputsOf(terraform)
    assert.equal(outputs.image, `${server.host}/${pushed}@${v1.digest}`)
    assert.equal(outputs.repository, `${server.host}/terraform/app`)
    assert.equal(outputs.caller, `arn:aws:iam::${server.account}:root`)
    assert.deepEqual(outputs.members, ['terraform-ci', 'terraform.person@example.com'])
    assert.deepEqual(outputs.secrets, [
      'ecr-pullthroughcache/terraform-kept',
      'ecr-pullthroughcache/terraform-new',
      'ecr-pullthroughcache/terraform-old',
    ])
    assert.equal(outputs.secret_value, '{"accessToken":"token","username":"lading"}')

    const changed = [...variables, '-var=changed=true']
    await session.push('terraform/plain', v1, 'v1')
    // The same name is made anew at once, while the old one is in the recycle bin with its image.
    const anew = ['-replace=aws_ecr_repository.plain', '-replace=aws_ecr_lifecycle_policy.plain']
    await apply(terraform, [...changed, ...anew], /\d+ added, [1-9]\d* changed, \d+ destroyed/)
    await assertNoDifference(terraform, changed)
    assert.deepEqual((await ecr.listImages({ repositoryName: 'terraform/plain' })).imageIds, [])
    const restore = async () => {
      const input = { repositoryName: 'terraform/plain' }
      const { status, body } = await callAdmin<object>(server, server.credentials, 'RestoreDeletedRepository', input)
      return [status, ...('__type' in body ? [body.__type] : [])]
    }
    assert.deepEqual(await restore(), [400, 'RepositoryAlreadyExistsException'])

    const { key, shared_policy } = await outputsOf(terraform)
    await cp(join(fixtures, 'import'), path, { recursive: true })
    const imports = (await readFile(join(path, 'import.tf'), 'utf8')).match(/^ {2}to = .*$/gm) ?? []
    await terraform('state', 'rm', ...imports.map((line) => line.slice('  to = '.length)))
    const imported = [...changed, `-var=key=${key}`, `-var=shared_policy=${shared_policy}`]
    // What is forced is not kept by the server: it would be the difference to what was imported.
    await apply(
      terraform,
      [...imported, '-var=forced=false'],
      new RegExp(`${imports.length} imported, 0 added, 0 changed, 0 destroyed`),
    )
    await apply(terraform, [...imported, '-refresh=false'], /0 added, 4 changed, 0 destroyed/)
    await importSecret(terraform, imported)

    await session.push('terraform/app', v1, 'v1')
    const iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
    try {
      await iam.createAccessKey({ UserName: 'terraform-ci' })
      await iam.putRolePolicy({ RoleName: 'terraform-deploy', PolicyName: 'stray', PolicyDocument: stray })
      await terraform('destroy', '-auto-approve', '-no-color', '-refresh=false', ...imported)
      assert.equal(await terraform('state', 'list'), '')
      const { repositories = [] } = await ecr.describeRepositories({})
      assert.deepEqual(
        repositories.map(({ repositoryName }) => repositoryName),
        [pushed],
      )
      const [{ Users }, { Groups }, { Roles }, { Policies }] = await Promise.all([
        iam.listUsers({}),
        iam.listGroups({}),
        iam.listRoles({}),
        iam.listPolicies({ Scope: 'Local' }),
      ])
      assert.deepEqual([Users, Groups, Roles, Policies], [[], [], [], []])
      assert.deepEqual(await secretsOf(server), [['ecr-pullthroughcache/terraform-kept', true]])
      assert.deepEqual(await restore(), [200])
      const { imageDetails } = await ecr.describeImages({ repositoryName: 'terraform/plain' })
      assert.deepEqual(
        imageDetails?.map(({ imageDigest, imageTags }) => [imageDigest, imageTags]),
        [[v1.digest, ['v1']]],
      )
    } finally {
      iam.destroy()
    }
  })

  test("the documentation's configuration gives a user that may push, and a rule of the cache with its secret", async () => {
    const { ecr, server } = session
    const page = await readFile(join(root, 'docs', 'terraform.md'), 'utf8')
    const blocks = [...page.matchAll(/```hcl\n(.*?)```/gs)].map(([, block = '']) => block)
    const configuration = blocks.join('\n').replaceAll('http://127.0.0.1:5100', server.url)
    assert.ok(configuration.includes(providerVersion))
    const { terraform } = await start('documentation', (to) => writeFile(join(to, 'main.tf'), configuration))
    await apply(terraform, [], /\d+ added, 0 changed, 0 destroyed/)
    const { repository, access_key_id, secret_access_key } = await outputsOf(terraform)
    assert.equal(repository, `${server.host}/team/app`)
    const credentials = { accessKeyId: String(access_key_id), secretAccessKey: String(secret_access_key) }
    const pipeline = session.client({ credentials })
    const { authorizationData } = await pipeline.getAuthorizationToken({})
    assert.equal(authorizationData?.length, 1)
    await pipeline.initiateLayerUpload({ repositoryName: 'team/app' })
    await assert.rejects(pipeline.describeImages({ repositoryName: 'team/app' }), { name: 'AccessDeniedException' })

    await assertNoDifference(terraform, [])
    const ecrRepositoryPrefixes = ['docker-hub']
    const before = await ecr.describePullThroughCacheRules({ ecrRepositoryPrefixes })
    const change = ['-var=docker_hub_token=dckr_pat_new']
    await apply(terraform, change, /1 added, [01] changed, 1 destroyed/)
    await assertNoDifference(terraform, change)
    const { pullThroughCacheRules: [rule] = [] } = await ecr.describePullThroughCacheRules({ ecrRepositoryPrefixes })
    assert.deepEqual(rule?.createdAt, before.pullThroughCacheRules?.[0]?.createdAt)
    assert.equal(rule?.credentialArn, before.pullThroughCacheRules?.[0]?.credentialArn)
    assert.match(await secretValue(server, rule?.credentialArn), /dckr_pat_new/)
    await terraform('destroy', '-auto-approve', '-no-color', '-refresh=false')
    await assert.rejects(ecr.describePullThroughCacheRules({ ecrRepositoryPrefixes }), {
      name: 'PullThroughCacheRuleNotFoundException',
    })
    const { repositoryCreationTemplates } = await ecr.describeRepositoryCreationTemplates({ prefixes: ['docker-hub'] })
    assert.deepEqual(repositoryCreationTemplates, [])
  })

  test("the documentation's variables replace the endpoints, and keep a web identity token from AWS", async () => {
    await using identity = await startWebIdentity(session.server)
    await using proxy = await startProxyRecorder()
    const variables = exportsOf(await readPage('terraform.md', session.server), 'AWS_')
    const configuration = `${requirement}
      data "aws_caller_identity" "self" {}
      data "aws_ecr_authorization_token" "token" {}
      output "caller" { value = data.aws_caller_identity.self.arn }
      output "user" { value = data.aws_ecr_authorization_token.token.user_name }`
    const noKey = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_MAX_ATTEMPTS: '1' }
    const job = { ...noKey, ...proxy.environment, ...(await identity.environment(folder.path)) }
    const write = (to: string) => writeFile(join(to, 'main.tf'), configuration)
    const { terraform } = await start('variables', write, { ...job, ...variables })
    await terraform('apply', '-auto-approve', '-no-color')
    const { caller, user } = await outputsOf(terraform)
    assert.equal(caller, `arn:aws:sts::${session.server.account}:assumed-role/puller/app`)
    assert.equal(user, 'AWS')
    assert.deepEqual([...proxy.hosts], [])
  })
})

const requirement = `terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "${providerVersion}"
    }
  }
}`

const stray = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }],
})

async function apply(terraform: Terraform, variables: readonly string[], summary: RegExp): Promise<void> {
  assert.match(await terraform('apply', '-auto-approve', '-no-color', ...variables), summary)
}

/** Planned again, nothing is to be done: with this flag Terraform ends with 2 otherwise. */
async function assertNoDifference(terraform: Terraform, variables: readonly string[]): Promise<void> {
  await terraform('plan', '-detailed-exitcode', '-no-color', ...variables)
}

/** A secret has its ARN as its id, which no block in the fixture can know. Its recovery window is not kept by the server. */
async function importSecret(terraform: Terraform, variables: readonly string[]): Promise<void> {
  const { kept_secret } = await outputsOf(terraform)
  // As the fixture has it.
  const { arn, version } = kept_secret as { arn: string; version: string }
  const [secret, value] = ['aws_secretsmanager_secret.kept', 'aws_secretsmanager_secret_version.kept']
  await terraform('state', 'rm', secret, value)
  await terraform('import', '-no-color', ...variables, secret, arn)
  await terraform('import', '-no-color', ...variables, value, `${arn}|${version}`)
  await apply(terraform, variables, /0 added, 1 changed, 0 destroyed/)
  await assertNoDifference(terraform, variables)
}

/** The names of all secrets, and whether each is scheduled for deletion. */
async function secretsOf(server: RunningServer) {
  using secrets = openSecrets(server)
  const { SecretList = [] } = await secrets.client.listSecrets({ IncludePlannedDeletion: true })
  return SecretList.map(({ Name, DeletedDate }) => [Name, DeletedDate !== undefined])
}

async function secretValue(server: RunningServer, SecretId: string | undefined): Promise<string> {
  using secrets = openSecrets(server)
  return (await secrets.client.getSecretValue({ SecretId })).SecretString ?? ''
}

async function outputsOf(terraform: Terraform): Promise<Record<string, unknown>> {
  // Documented: an object of the outputs by name, each with its value.
  const outputs = JSON.parse(await terraform('output', '-json')) as Record<string, { value: unknown }>
  return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]))
}

/** The kinds of resources and data sources that the configuration has, as `resource aws_ecr_repository`. */
async function configured(path: string): Promise<Set<string>> {
  const files = await Promise.all(
    ['ecr.tf', 'iam.tf', 'provider.tf', 'secrets.tf'].map((name) => readFile(join(path, name), 'utf8')),
  )
  const kinds = files.join('\n').matchAll(/^(resource|data|ephemeral) "(\w+)"/gm)
  return new Set(Array.from(kinds, ([, block, kind]) => `${block} ${kind}`))
}

/** Those that it must have. */
async function ofTheProvider(terraform: Terraform): Promise<Set<string>> {
  type Schemas = Record<'resource_schemas' | 'data_source_schemas' | 'ephemeral_resource_schemas', object>
  // Documented, as far as it is read here.
  const schemas = JSON.parse(await terraform('providers', 'schema', '-json')) as { provider_schemas: Schemas[] }
  const [{ resource_schemas, data_source_schemas, ephemeral_resource_schemas }] = Object.values(
    schemas.provider_schemas,
  ) as [Schemas]
  const all = [
    ...Object.keys(resource_schemas).map((kind) => `resource ${kind}`),
    ...Object.keys(data_source_schemas).map((kind) => `data ${kind}`),
    ...Object.keys(ephemeral_resource_schemas).map((kind) => `ephemeral ${kind}`),
  ]
  return new Set(
    all.filter(
      (kind) => / aws_(ecr_|iam_|secretsmanager_secret|caller_identity$)/.test(kind) && !ofNoUse.includes(kind),
    ),
  )
}
