/** Pushes to repositories that are not there yet: a template for pushes creates them, and nothing else does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateRepositoryCreationTemplateCommand,
  type CreateRepositoryCreationTemplateCommandInput,
  DescribeRepositoriesCommand,
  GetLifecyclePolicyCommand,
  ListTagsForResourceCommand,
} from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { image } from '#test/support/images/build.ts'
import { digest as digestOf } from '#test/support/images/content.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { until } from '#test/support/until.ts'
import { eachServerInCi, expect, locationOf } from './world.ts'

eachServerInCi('create on push', (world) => {
  const call: typeof world.call = (...parameters) => world.call(...parameters)
  let templates = 0

  /** A template of a prefix that no other test has. */
  async function template(settings: Partial<CreateRepositoryCreationTemplateCommandInput> = {}): Promise<string> {
    const prefix = `from-template-${++templates}`
    const input = { prefix, appliedFor: ['CREATE_ON_PUSH' as const], ...settings }
    await world.client.ecr.send(new CreateRepositoryCreationTemplateCommand(input))
    return prefix
  }

  async function described(name: string) {
    const command = new DescribeRepositoriesCommand({ repositoryNames: [name] })
    const { repositories = [] } = await world.client.ecr.send(command)
    return repositories[0]
  }

  const exists = (name: string) =>
    described(name).then(
      () => true,
      () => false,
    )

  test('an upload to a repository that is not there creates it as its template says', async () => {
    const customRoleArn = `arn:aws:iam::${world.server.account}:role/templates`
    const prefix = await template({
      customRoleArn,
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
      encryptionConfiguration: { encryptionType: 'KMS' },
      resourceTags: [{ Key: 'team', Value: 'a' }],
    })
    const name = `${prefix}/app`
    expect(await call('POST', `/v2/${name}/blobs/uploads/`), 202)
    const repository = await described(name)
    assert.equal(repository?.imageTagMutability, 'IMMUTABLE_WITH_EXCLUSION')
    assert.deepEqual(repository?.imageTagMutabilityExclusionFilters, [{ filterType: 'WILDCARD', filter: 'dev-*' }])
    const { encryptionType, kmsKey = '' } = repository?.encryptionConfiguration ?? {}
    assert.equal(encryptionType, 'KMS')
    assert.match(kmsKey, new RegExp(`^arn:aws:kms:us-east-1:${world.server.account}:key/[0-9a-f-]{36}$`))
    const { tags } = await world.client.ecr.send(
      new ListTagsForResourceCommand({ resourceArn: repository?.repositoryArn }),
    )
    assert.deepEqual(tags, [{ Key: 'team', Value: 'a' }])
  })

  test('a repository comes with the lifecycle policy of its template', async () => {
    const lifecyclePolicy = JSON.stringify({
      rules: [
        {
          rulePriority: 1,
          selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 10 },
          action: { type: 'expire' },
        },
      ],
    })
    const repositoryName = `${await template({ lifecyclePolicy })}/app`
    expect(await call('POST', `/v2/${repositoryName}/blobs/uploads/`), 202)
    const { lifecyclePolicyText } = await world.client.ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))
    assert.deepEqual(JSON.parse(lifecyclePolicyText ?? ''), JSON.parse(lifecyclePolicy))
  })

  test('each way to begin a push creates the repository, and its image can be pulled', async () => {
    const prefix = await template()
    const bytes = world.bytes(1_000)
    const digest = digestOf(bytes)
    expect(await call('POST', `/v2/${prefix}/whole/blobs/uploads/?digest=${digest}`, { body: bytes }), 201)
    const other = `${prefix}/mounted`
    const mounted = await call('POST', `/v2/${other}/blobs/uploads/?mount=${digest}&from=${prefix}/whole`)
    assert.ok([201, 202].includes(mounted.status))
    assert.ok(await exists(other))

    const index = image({ seed: prefix })
    expect(await world.putManifest(`${prefix}/manifest`, index, 'v1'), 400, 'MANIFEST_BLOB_UNKNOWN')
    assert.ok(await exists(`${prefix}/manifest`))
    await world.pushBlobs(`${prefix}/manifest`, index)
    expect(await world.putManifest(`${prefix}/manifest`, index, 'v1'), 201)
    expect(await call('GET', `/v2/${prefix}/manifest/manifests/v1`), 200)
  })

  test('what reads, ends an upload or is malformed creates nothing', async () => {
    const name = `${await template()}/app`
    const { digest } = image()
    for (const method of ['GET', 'HEAD']) {
      for (const path of [`manifests/v1`, `blobs/${digest}`, 'tags/list']) {
        expect(await call(method, `/v2/${name}/${path}`), 404)
      }
    }
    expect(await call('DELETE', `/v2/${name}/manifests/v1`), 404)
    expect(await call('PATCH', `/v2/${name}/blobs/uploads/x`, { body: 'a' }), 404)
    expect(await call('PUT', `/v2/${name}/blobs/uploads/x?digest=${digest}`), 404)
    expect(await call('POST', `/v2/${name}/blobs/uploads/?digest=none`, { body: 'a' }), 400)
    const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
    expect(await call('PUT', `/v2/${name}/manifests/v1`, { headers: type, body: '{}' }), 400, 'MANIFEST_INVALID')
    assert.ok(!(await exists(name)))
  })

  test('a template for another occasion, or of another prefix, creates nothing', async () => {
    const prefix = await template({ appliedFor: ['PULL_THROUGH_CACHE', 'REPLICATION'] })
    for (const name of [`${prefix}/app`, 'from-template/app', `${await template()}0/app`, await template()]) {
      expect(await call('POST', `/v2/${name}/blobs/uploads/`), 404, 'NAME_UNKNOWN')
    }
  })

  test('a template with tags or a key and without a role creates nothing, and says why', async () => {
    const settings = [
      { resourceTags: [{ Key: 'team', Value: 'a' }] },
      { encryptionConfiguration: { encryptionType: 'KMS' as const } },
    ]
    for (const each of settings) {
      const prefix = await template(each)
      const refused = expect(await call('POST', `/v2/${prefix}/app/blobs/uploads/`), 404, 'NAME_UNKNOWN')
      assert.match(refused.message, new RegExp(`template with prefix '${prefix}' has .* needs a customRoleArn`))
      assert.ok(!(await exists(`${prefix}/app`)))
    }
  })

  test('a user who may push and not create learns nothing of the template, and creates nothing', async () => {
    const { url: endpoint, region, credentials } = world.server
    const iam = new IAM({ endpoint, region, credentials })
    const UserName = `pusher-${world.dialect}`
    await iam.createUser({ UserName })
    const { AccessKey } = await iam.createAccessKey({ UserName })
    const allow = (Action: string[]) => {
      const PolicyDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] }
      return iam.putUserPolicy({ UserName, PolicyName: 'push', PolicyDocument: JSON.stringify(PolicyDocument) })
    }
    const push = ['ecr:GetAuthorizationToken', 'ecr:InitiateLayerUpload', 'ecr:PutImage']
    await allow(push)
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
    await using user = await openOciClient(world.server, { credentials: { accessKeyId, secretAccessKey } })
    const covered = `${await template()}/app`
    const refused = expect(await user.call('POST', `/v2/${covered}/blobs/uploads/`), 404, 'NAME_UNKNOWN')
    const other = expect(await user.call('POST', '/v2/not/covered/blobs/uploads/'), 404, 'NAME_UNKNOWN')
    assert.equal(refused.message.replaceAll(covered, 'not/covered'), other.message)
    assert.ok(!(await exists(covered)))
    await allow([...push, 'ecr:CreateRepository'])
    await until(async () => (await user.call('POST', `/v2/${covered}/blobs/uploads/`)).status === 202)
    iam.destroy()
  })

  test('pushes that race for one new repository all succeed', async () => {
    const name = `${await template()}/app`
    const begun = await Promise.all(Array.from({ length: 8 }, () => call('POST', `/v2/${name}/blobs/uploads/`)))
    const paths = begun.map((answer) => locationOf(expect(answer, 202)))
    assert.equal(new Set(paths).size, 8)
  })
})
