/** Who may write templates and cache rules gives nothing by them that it could not give itself. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'

const account = '000000000000'
const customRoleArn = `arn:aws:iam::${account}:role/templates`
const appliedFor: ['CREATE_ON_PUSH'] = ['CREATE_ON_PUSH']
const repositoryPolicy = JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: '*', Action: 'ecr:*' }] })
const lifecyclePolicy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 10 },
      action: { type: 'expire' },
    },
  ],
})

let session: EcrSession
let author: ECR
let iam: IAM

before(async () => {
  session = await startEcrSession()
  const { server } = session
  iam = new IAM({ endpoint: server.url, region: server.region, credentials: server.credentials })
  await iam.createUser({ UserName: 'author' })
  const { AccessKey } = await iam.createAccessKey({ UserName: 'author' })
  const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  author = session.client({ credentials })
})
after(async () => {
  iam.destroy()
  await session[Symbol.asyncDispose]()
})

const allow = (...Action: string[]) => allowBeside([], ...Action)

const allowBeside = (statements: readonly object[], ...Action: string[]) =>
  iam.putUserPolicy({
    UserName: 'author',
    PolicyName: 'own',
    PolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['ecr:*Template*', 'ecr:*PullThroughCacheRule', ...Action], Resource: '*' },
        ...statements,
      ],
    }),
  })

test('a template’s author needs the rights to what the template gives', async () => {
  const covered = `arn:aws:ecr:us-east-1:${account}:repository/team/*`
  const gifts = [
    ['ecr:SetRepositoryPolicy', covered, { repositoryPolicy }],
    ['ecr:PutLifecyclePolicy', covered, { lifecyclePolicy }],
    ['ecr:TagResource', covered, { resourceTags: [{ Key: 'k', Value: 'v' }] }],
    ['iam:PassRole', customRoleArn, { customRoleArn }],
  ] as const
  for (const [action, resource, gift] of gifts) {
    await allow()
    const denied = {
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::${account}:user/author is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
      status: 400,
    }
    const create = () => author.createRepositoryCreationTemplate({ prefix: 'team', appliedFor, ...spread(gift) })
    assert.deepEqual(await refusalOf(create()), denied)
    await author.createRepositoryCreationTemplate({ prefix: 'team', appliedFor })
    assert.deepEqual(
      await refusalOf(author.updateRepositoryCreationTemplate({ prefix: 'team', ...spread(gift) })),
      denied,
    )
    await author.deleteRepositoryCreationTemplate({ prefix: 'team' })
    await allow(action)
    await create()
    await author.deleteRepositoryCreationTemplate({ prefix: 'team' })
  }
})

test('to empty or to delete what a template gives, or to give it on other occasions, needs the same rights', async () => {
  const { ecr } = session
  const gifts = [
    ['ecr:SetRepositoryPolicy', { repositoryPolicy }, { repositoryPolicy: '' }],
    ['ecr:PutLifecyclePolicy', { lifecyclePolicy }, { lifecyclePolicy: '' }],
    ['ecr:TagResource', { resourceTags: [{ Key: 'k', Value: 'v' }] }, { resourceTags: [] }],
  ] as const
  for (const [action, gift, nothing] of gifts) {
    await ecr.createRepositoryCreationTemplate({ prefix: 'team', appliedFor, ...spread(gift) })
    await allow()
    const update = (input: object) => author.updateRepositoryCreationTemplate({ prefix: 'team', ...spread(input) })
    const remove = () => author.deleteRepositoryCreationTemplate({ prefix: 'team' })
    const denied = new RegExp(`not authorized to perform: ${action} on resource: .*repository/team/\\*`)
    for (const attempt of [() => update(nothing), () => update({ appliedFor: ['REPLICATION'] }), remove]) {
      assert.match((await refusalOf(attempt())).message, denied)
    }
    await update({ description: 'as before', appliedFor })
    await allow(action)
    await update({ appliedFor: ['REPLICATION'] })
    await update(nothing)
    await allow()
    await update({ ...nothing, appliedFor })
    await remove()
  }
})

test('a template that takes the place of one above it needs the rights to what that one gives', async () => {
  const { ecr } = session
  await ecr.createRepositoryCreationTemplate({ prefix: 'ROOT', appliedFor, repositoryPolicy })
  await ecr.createRepositoryCreationTemplate({ prefix: 'team', appliedFor, lifecyclePolicy })
  const prefix = 'team/app'
  const create = (occasions: ('CREATE_ON_PUSH' | 'REPLICATION')[]) =>
    author.createRepositoryCreationTemplate({ prefix, appliedFor: occasions })
  const update = () => author.updateRepositoryCreationTemplate({ prefix, appliedFor })
  const remove = () => author.deleteRepositoryCreationTemplate({ prefix })
  const denied = /not authorized to perform: ecr:PutLifecyclePolicy on resource: .*repository\/team\/app\/\*/
  await allow()
  assert.match((await refusalOf(create(appliedFor))).message, denied)
  await create(['REPLICATION'])
  assert.match((await refusalOf(update())).message, denied)
  await allow('ecr:PutLifecyclePolicy')
  await update()
  await allow()
  assert.match((await refusalOf(remove())).message, denied)
  await allow('ecr:PutLifecyclePolicy')
  await remove()
  await ecr.deleteRepositoryCreationTemplate({ prefix: 'team' })
  await ecr.deleteRepositoryCreationTemplate({ prefix: 'ROOT' })
})

test('a template is refused if its prefix covers a repository for which its author is denied', async () => {
  const repository = (name: string) => `arn:aws:ecr:us-east-1:${account}:repository/${name}`
  const deny = (name: string) =>
    allowBeside([{ Effect: 'Deny', Action: 'ecr:SetRepositoryPolicy', Resource: repository(name) }], 'ecr:*')
  const create = (prefix: string) => author.createRepositoryCreationTemplate({ prefix, appliedFor, repositoryPolicy })
  for (const [deniedName, prefix] of [
    ['team/secret', 'team'],
    ['team/secret/*', 'team'],
    ['team/*', 'team/secret'],
    ['*/secret', 'team'],
    ['team/secret', 'ROOT'],
  ] as const) {
    await deny(deniedName)
    assert.match((await refusalOf(create(prefix))).message, /ecr:SetRepositoryPolicy .*explicit deny/)
  }
  await deny('other/*')
  await create('team')
  await author.deleteRepositoryCreationTemplate({ prefix: 'team' })
})

test('a cache rule’s author needs the right to pass the rule’s role', async () => {
  const create = () =>
    author.createPullThroughCacheRule({
      ...{ ecrRepositoryPrefix: 'cache', upstreamRegistry: 'ecr' },
      ...{ upstreamRegistryUrl: '111111111111.dkr.ecr.us-east-1.amazonaws.com', customRoleArn },
    })
  await allow()
  assert.match((await refusalOf(create())).message, /perform: iam:PassRole on resource/)
  await allow('iam:PassRole')
  await create()
  await allow()
  const update = author.updatePullThroughCacheRule({ ecrRepositoryPrefix: 'cache', customRoleArn })
  assert.match((await refusalOf(update)).message, /perform: iam:PassRole on resource/)
})

/** The SDK wants lists that it may change. */
function spread(gift: object): { description?: string } {
  return gift
}
