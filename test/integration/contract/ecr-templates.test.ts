/** Create-, Update-, Delete- and DescribeRepositoryCreationTemplate(s), by the AWS SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  type CreateRepositoryCreationTemplateCommandInput as Input,
  paginateDescribeRepositoryCreationTemplates,
} from '@aws-sdk/client-ecr'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'

const account = '000000000000'
const customRoleArn = `arn:aws:iam::${account}:role/templates`
const environment = { LADING_QUOTAS: 'repositoryCreationTemplates=8' }
const appliedFor: NonNullable<Input['appliedFor']> = ['CREATE_ON_PUSH']

const repositoryPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' }],
})

const lifecyclePolicy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 10 },
      action: { type: 'expire' },
    },
  ],
})

function invalid(member: string, constraint: string) {
  const message = `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
  return { name: 'InvalidParameterException', message, status: 400 }
}

function notFound(prefix: string) {
  const message = `The Template with prefix '${prefix}' does not exist in the registry with id '${account}'`
  return { name: 'TemplateNotFoundException', message, status: 400 }
}

eachDatabase(({ dialect, url }) => {
  describe(`repository creation templates by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url(), environment })
    })
    after(() => session[Symbol.asyncDispose]())

    test('a template has defaults, and every field of it is answered by each operation', async () => {
      const { ecr } = session
      const startedAt = Date.now()
      const created = await answerOf(ecr.createRepositoryCreationTemplate({ prefix: 'defaults', appliedFor }))
      assert.equal(created.registryId, account)
      const { createdAt, updatedAt, ...fields } = created.repositoryCreationTemplate ?? {}
      assert.deepEqual(fields, {
        prefix: 'defaults',
        encryptionConfiguration: { encryptionType: 'AES256' },
        imageTagMutability: 'MUTABLE',
        appliedFor,
      })
      assert.ok(createdAt && createdAt.getTime() >= startedAt && createdAt.getTime() <= Date.now())
      assert.deepEqual(updatedAt, createdAt)
      const described = await answerOf(ecr.describeRepositoryCreationTemplates({ prefixes: ['defaults'] }))
      const { repositoryCreationTemplate } = created
      assert.deepEqual(described, {
        registryId: account,
        repositoryCreationTemplates: [repositoryCreationTemplate],
      })
      assert.deepEqual(await answerOf(ecr.deleteRepositoryCreationTemplate({ prefix: 'defaults' })), created)
      assert.deepEqual(
        await refusalOf(ecr.deleteRepositoryCreationTemplate({ prefix: 'defaults' })),
        notFound('defaults'),
      )
    })

    test('an update changes what it names and leaves the rest; an empty text or list takes away', async () => {
      const { ecr } = session
      const prefix = 'updated'
      const kmsKey = `arn:aws:kms:us-east-1:${account}:key/1234abcd`
      await ecr.createRepositoryCreationTemplate({
        prefix,
        appliedFor: ['CREATE_ON_PUSH', 'REPLICATION'],
        description: 'for the web',
        encryptionConfiguration: { encryptionType: 'KMS', kmsKey },
        resourceTags: [{ Key: 'team', Value: 'a' }],
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
        repositoryPolicy,
        lifecyclePolicy,
        customRoleArn,
      })
      const update = async (change: Partial<Input>) => {
        const { repositoryCreationTemplate } = await ecr.updateRepositoryCreationTemplate({ prefix, ...change })
        const { createdAt, updatedAt, ...fields } = repositoryCreationTemplate ?? {}
        assert.ok(createdAt && updatedAt && updatedAt >= createdAt)
        return fields
      }
      const whole = await update({})
      assert.deepEqual(whole, {
        prefix,
        appliedFor: ['CREATE_ON_PUSH', 'REPLICATION'],
        description: 'for the web',
        encryptionConfiguration: { encryptionType: 'KMS', kmsKey },
        resourceTags: [{ Key: 'team', Value: 'a' }],
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
        repositoryPolicy,
        lifecyclePolicy,
        customRoleArn,
      })
      assert.deepEqual(await update({ appliedFor }), { ...whole, appliedFor })
      assert.deepEqual(await update({ imageTagMutability: 'MUTABLE_WITH_EXCLUSION' }), {
        ...whole,
        appliedFor,
        imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      })
      await update({ imageTagMutability: 'IMMUTABLE' })
      await update({ description: '', repositoryPolicy: '', lifecyclePolicy: '', resourceTags: [] })
      await update({ encryptionConfiguration: { encryptionType: 'AES256' } })
      assert.deepEqual(await update({ customRoleArn: '' }), {
        prefix,
        appliedFor,
        encryptionConfiguration: { encryptionType: 'AES256' },
        imageTagMutability: 'IMMUTABLE',
      })
      assert.deepEqual(await refusalOf(update({ repositoryPolicy: '{}' })), invalidPolicy)
      assert.equal((await update({})).repositoryPolicy, undefined)
      await ecr.deleteRepositoryCreationTemplate({ prefix })
      assert.deepEqual(await refusalOf(update({})), notFound(prefix))
    })

    const invalidPolicy = invalid('repositoryPolicy', 'Invalid repository policy provided')
    const invalidRole = invalid('customRoleArn', 'must be the ARN of a role of the account')
    const invalidTags = invalid(
      'resourceTags',
      "must be at most 50 tags, each given once, whose keys of 1 to 128 characters do not begin with 'aws:' and whose values have at most 256, of letters, digits, spaces and _ . : / = + - @",
    )
    const tags = (count: number) => Array.from({ length: count }, (_, at) => ({ Key: `key-${at}`, Value: '' }))
    const prefixPattern = '^([a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*\\/?|ROOT)$'
    const refused: readonly [claim: string, input: Partial<Input>, refusal: object][] = [
      [
        'that exists',
        { prefix: 'taken/' },
        {
          name: 'TemplateAlreadyExistsException',
          message: `The Template with prefix 'taken' already exists in the registry with id '${account}'`,
          status: 400,
        },
      ],
      [
        'whose prefix is none',
        { prefix: 'Upper' },
        invalid('prefix', `must satisfy regular expression '${prefixPattern}'`),
      ],
      ['without an occasion', { appliedFor: undefined }, invalid('appliedFor', 'Member must not be null')],
      ['with a policy that is none', { repositoryPolicy: '{"Version":"2012-10-17"}' }, invalidPolicy],
      [
        'with a policy of actions that are not of ECR',
        { repositoryPolicy: repositoryPolicy.replace('ecr:', 's3:') },
        invalidPolicy,
      ],
      [
        'with a lifecycle policy that is none',
        { lifecyclePolicy: lifecyclePolicy.replace('expire', 'keep') },
        invalid('lifecyclePolicy', 'Invalid lifecycle policy provided'),
      ],
      ['with a role that is none', { customRoleArn: 'role/templates' }, invalidRole],
      [
        'with a role of another account',
        { customRoleArn: customRoleArn.replace(account, '111111111111') },
        invalidRole,
      ],
      ["with a tag of AWS's own", { resourceTags: [{ Key: 'aws:team', Value: 'a' }] }, invalidTags],
      ['with 51 tags', { resourceTags: tags(51) }, invalidTags],
      [
        'with filters in a mode that takes none',
        { imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'v*' }] },
        invalid(
          'imageTagMutabilityExclusionFilters',
          "ImageTagMutabilityExclusionFilters can't be given when imageTagMutability is set as MUTABLE",
        ),
      ],
      [
        'with a key of another region',
        { encryptionConfiguration: { encryptionType: 'KMS', kmsKey: `arn:aws:kms:eu-west-1:${account}:key/1234abcd` } },
        invalid('kmsKey', 'must be the id, the alias or the ARN of a key in region us-east-1'),
      ],
    ]
    test('what cannot be a template is refused, and none is stored', async (t) => {
      const { ecr } = session
      await ecr.createRepositoryCreationTemplate({ prefix: 'taken', appliedFor })
      for (const [claim, input, refusal] of refused) {
        await t.test(`a template ${claim}`, async () => {
          const call = ecr.createRepositoryCreationTemplate({ prefix: 'refused', appliedFor, ...input })
          assert.deepEqual(await refusalOf(call), refusal)
        })
      }
      const described = await ecr.describeRepositoryCreationTemplates({ prefixes: ['refused', 'taken/'] })
      assert.deepEqual(
        described.repositoryCreationTemplates?.map(({ prefix }) => prefix),
        ['taken'],
      )
    })

    test('pages joined are all templates by prefix, of one registry, and the quota ends them', async () => {
      await using other = await startEcrSession({ database: await url(), environment })
      const { ecr } = other
      const prefixes = ['ROOT', 'a', 'a/b', 'b', 'c', 'd', 'e', 'f']
      for (const prefix of prefixes.toReversed()) await ecr.createRepositoryCreationTemplate({ prefix, appliedFor })
      assert.deepEqual(await refusalOf(ecr.createRepositoryCreationTemplate({ prefix: 'g', appliedFor })), {
        name: 'LimitExceededException',
        message: `The maximum number of repository creation templates, 8, has been reached in the registry with id '${account}'`,
        status: 400,
      })
      const elsewhere = other.client({ region: 'eu-west-1' })
      await elsewhere.createRepositoryCreationTemplate({ prefix: 'g', appliedFor })

      const found: (string | undefined)[] = []
      for await (const page of paginateDescribeRepositoryCreationTemplates({ client: ecr, pageSize: 3 }, {})) {
        found.push(...(page.repositoryCreationTemplates ?? []).map(({ prefix }) => prefix))
      }
      assert.deepEqual(found, prefixes)
      const { nextToken } = await ecr.describeRepositoryCreationTemplates({ maxResults: 1 })
      const foreign = elsewhere.describeRepositoryCreationTemplates({ nextToken })
      assert.deepEqual(await refusalOf(foreign), invalid('NextToken', 'Invalid next token provided'))
      assert.deepEqual(
        await refusalOf(ecr.describeRepositoryCreationTemplates({ prefixes: ['a'], maxResults: 1 })),
        invalid('maxResults', 'must not be given together with prefixes'),
      )
    })

    test('a push by the API creates its repository too, with what begins it and with the image', async () => {
      const { ecr } = session
      await ecr.createRepositoryCreationTemplate({ prefix: 'pushed', appliedFor, imageTagMutability: 'IMMUTABLE' })
      const app = image({ seed: 'pushed' })
      const imageManifest = app.bytes.toString()
      const mutabilityOf = async (repositoryName: string) => {
        const { repositories } = await ecr.describeRepositories({ repositoryNames: [repositoryName] })
        return repositories?.[0]?.imageTagMutability
      }

      const { uploadId } = await ecr.initiateLayerUpload({ repositoryName: 'pushed/app' })
      assert.ok(uploadId)
      assert.equal(await mutabilityOf('pushed/app'), 'IMMUTABLE')
      await session.push('pushed/app', app, 'v1')

      const { name } = await refusalOf(ecr.putImage({ repositoryName: 'pushed/image', imageManifest }))
      assert.equal(name, 'LayersNotFoundException')
      assert.equal(await mutabilityOf('pushed/image'), 'IMMUTABLE')

      for (const repositoryName of ['pushed', 'pushed-not/app']) {
        const missing = {
          name: 'RepositoryNotFoundException',
          message: `The repository with name '${repositoryName}' does not exist in the registry with id '${account}'`,
          status: 400,
        }
        assert.deepEqual(await refusalOf(ecr.initiateLayerUpload({ repositoryName })), missing)
        assert.deepEqual(await refusalOf(ecr.putImage({ repositoryName, imageManifest })), missing)
      }
    })

    test('a template with tags and without a role makes no repository, and the push says why', async () => {
      const { ecr } = session
      const resourceTags = [{ Key: 'team', Value: 'a' }]
      await ecr.createRepositoryCreationTemplate({ prefix: 'no-role', appliedFor, resourceTags })
      assert.deepEqual(await refusalOf(ecr.initiateLayerUpload({ repositoryName: 'no-role/app' })), {
        name: 'RepositoryNotFoundException',
        message: `The repository with name 'no-role/app' does not exist in the registry with id '${account}', and cannot be created: the repository creation template with prefix 'no-role' has resource tags or KMS encryption, and needs a customRoleArn for that`,
        status: 400,
      })
    })

    test('a registry that is full makes no repository by a template', async () => {
      await using full = await startEcrSession({ environment: { LADING_QUOTAS: 'repositories=1' } })
      await full.repository()
      await full.ecr.createRepositoryCreationTemplate({ prefix: 'ROOT', appliedFor })
      const begun = await refusalOf(full.ecr.initiateLayerUpload({ repositoryName: 'one/more' }))
      assert.equal(begun.name, 'RepositoryNotFoundException')
      const imageManifest = image().bytes.toString()
      const put = await refusalOf(full.ecr.putImage({ repositoryName: 'one/more', imageManifest }))
      assert.equal(put.name, 'LimitExceededException')
    })

    test('a repository that is created by hand takes nothing from a template', async () => {
      const { ecr } = session
      await ecr.createRepositoryCreationTemplate({ prefix: 'by-hand', appliedFor, imageTagMutability: 'IMMUTABLE' })
      const { repository } = await ecr.createRepository({ repositoryName: 'by-hand/app' })
      assert.equal(repository?.imageTagMutability, 'MUTABLE')
    })
  })
})
