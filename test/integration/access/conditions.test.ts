/** Condition keys end to end: what a request, its sender, its connection and its repository tell policies, on both planes. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a policy writes its variables so
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, get } from 'node:https'
import { after, before, describe, test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { startServer } from '#test/support/server.ts'
import { type Actor, documentOf, type Statement, startWorld, type World } from './world.ts'

const denied = { name: 'AccessDeniedException' }

function allow(Action: string | string[], Condition?: object): Statement {
  return { Effect: 'Allow', Action, Resource: '*', ...(Condition && { Condition }) }
}

eachDatabaseInCi(({ dialect, url }) => {
  describe(`condition keys, over ${dialect}`, () => {
    let world: World
    let painter: Actor
    before(async () => {
      world = await startWorld({ database: await url() })
      painter = await world.user('dora', { Team: 'blue' })
      await painter.may(allow('ecr:GetAuthorizationToken'))
    })
    after(() => world[Symbol.asyncDispose]())

    const list = () => painter.ecr.listImages({ repositoryName: world.target.repositoryName })

    /** Whether the condition holds for a request of either plane, which must agree. */
    async function holds(Condition: object): Promise<boolean> {
      const { server, target } = world
      await painter.may(allow('ecr:GetAuthorizationToken'))
      await using client = await openOciClient(server, { credentials: painter.credentials })
      await painter.may(allow('ecr:ListImages', Condition))
      const { status } = await client.call('GET', `/v2/${target.repositoryName}/tags/list`)
      const [outcome] = await Promise.allSettled([list()])
      assert.equal(outcome.status === 'fulfilled', status === 200, 'both planes decide alike')
      if (outcome.status === 'rejected') assert.equal(outcome.reason.name, denied.name)
      return outcome.status === 'fulfilled'
    }

    async function tag(...pairs: [Key: string, Value: string][]): Promise<void> {
      const { root, target } = world
      const resourceArn = `arn:aws:ecr:${target.region}:${target.registryId}:repository/${target.repositoryName}`
      const { tags = [] } = await root.listTagsForResource({ resourceArn })
      const tagKeys = tags.flatMap(({ Key }) => Key ?? [])
      if (tagKeys.length > 0) await root.untagResource({ resourceArn, tagKeys })
      await root.tagResource({ resourceArn, tags: pairs.map(([Key, Value]) => ({ Key, Value })) })
    }

    test('aws:SourceIp is the address of the connection', async () => {
      assert.equal(await holds({ IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }), true)
      assert.equal(await holds({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), false)
      assert.equal(await holds({ NotIpAddress: { 'aws:SourceIp': '127.0.0.1' } }), false)
    })

    test('aws:SecureTransport is false where the connection has no TLS', async () => {
      assert.equal(await holds({ Bool: { 'aws:SecureTransport': 'false' } }), true)
      assert.equal(await holds({ Bool: { 'aws:SecureTransport': 'true' } }), false)
    })

    test('aws:PrincipalTag has the tags of the user', async () => {
      const team = (value: string) => ({ StringEquals: { 'aws:PrincipalTag/Team': value } })
      assert.equal(await holds(team('blue')), true)
      assert.equal(await holds(team('red')), false)
      await world.iam.tagUser({ UserName: 'dora', Tags: [{ Key: 'Team', Value: 'red' }] })
      await painter.may(allow('ecr:ListImages', team('red')))
      await list()
      await world.iam.tagUser({ UserName: 'dora', Tags: [{ Key: 'Team', Value: 'blue' }] })
      await assert.rejects(list(), denied)
    })

    test('aws:ResourceTag and ecr:ResourceTag have the tags of the repository, as they stand', async () => {
      for (const key of ['aws:ResourceTag/Team', 'ecr:ResourceTag/Team']) {
        const matching = { StringEquals: { [key]: '${aws:PrincipalTag/Team}' } }
        await tag(['Team', 'red'])
        assert.equal(await holds(matching), false)
        await tag(['Team', 'blue'])
        assert.equal(await holds(matching), true)
        await tag(['Other', 'blue'])
        assert.equal(await holds(matching), false)
        assert.equal(await holds({ Null: { [key]: 'true' } }), true)
      }
    })

    test('a repository that is to be made, and all of them together, have no tags', async () => {
      const { ecr } = painter
      const { repositoryName } = world.target
      await tag(['Team', 'blue'])
      const tagged = { StringEquals: { 'aws:ResourceTag/Team': 'blue' } }
      await painter.may(allow(['ecr:CreateRepository', 'ecr:DescribeRepositories'], tagged))
      await assert.rejects(ecr.createRepository({ repositoryName }), denied)
      await assert.rejects(ecr.describeRepositories({}), denied)
      await ecr.describeRepositories({ repositoryNames: [repositoryName] })
    })

    test('aws:RequestTag and aws:TagKeys have the tags of a repository that is created', async () => {
      const { ecr } = painter
      let count = 0
      const create = (...tags: { Key: string; Value: string }[]) =>
        ecr.createRepository({ repositoryName: `made/app-${++count}`, ...(tags.length > 0 && { tags }) })
      const blue = { Key: 'Team', Value: 'blue' }
      const actions = ['ecr:CreateRepository', 'ecr:TagResource']
      await painter.may(allow(actions, { StringEquals: { 'aws:RequestTag/Team': '${aws:PrincipalTag/Team}' } }))
      await create(blue)
      await assert.rejects(create({ Key: 'Team', Value: 'red' }), denied)
      await assert.rejects(create(), denied)
      await painter.may(allow(actions, { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['Team', 'Stage'] } }))
      await create(blue)
      await create(blue, { Key: 'Stage', Value: 'test' })
      await assert.rejects(create(blue, { Key: 'Cost', Value: '1' }), denied)
      await create()
      await painter.may(allow(actions, { Null: { 'aws:TagKeys': 'false' } }))
      await assert.rejects(create(), denied)
      await create(blue)
    })

    test('and those that are set or taken away by tagging', async () => {
      const { ecr } = painter
      const { target } = world
      const resourceArn = `arn:aws:ecr:${target.region}:${target.registryId}:repository/${target.repositoryName}`
      const put = (Key: string, Value: string) => ecr.tagResource({ resourceArn, tags: [{ Key, Value }] })
      await painter.may(allow('ecr:TagResource', { StringEquals: { 'aws:RequestTag/Stage': ['test', 'prod'] } }))
      await put('Stage', 'test')
      await assert.rejects(put('Stage', 'other'), denied)
      await assert.rejects(put('Other', 'test'), denied)
      await painter.may(
        allow(['ecr:TagResource', 'ecr:UntagResource'], {
          'ForAllValues:StringLike': { 'aws:TagKeys': 'St*' },
          Null: { 'aws:TagKeys': 'false' },
        }),
      )
      await put('Status', 'x')
      await assert.rejects(put('Team', 'x'), denied)
      await assert.rejects(ecr.untagResource({ resourceArn, tagKeys: ['Stage', 'Team'] }), denied)
      await ecr.untagResource({ resourceArn, tagKeys: ['Stage', 'Status'] })
    })

    test('ecr:AccountSetting is the setting that is read or put', async () => {
      const { ecr } = painter
      const mounting = { StringEquals: { 'ecr:AccountSetting': 'BLOB_MOUNTING' } }
      await painter.may(allow(['ecr:GetAccountSetting', 'ecr:PutAccountSetting'], mounting))
      await ecr.putAccountSetting({ name: 'BLOB_MOUNTING', value: 'ENABLED' })
      await ecr.getAccountSetting({ name: 'BLOB_MOUNTING' })
      await assert.rejects(ecr.putAccountSetting({ name: 'REGISTRY_POLICY_SCOPE', value: 'V2' }), denied)
      await assert.rejects(ecr.getAccountSetting({ name: 'REGISTRY_POLICY_SCOPE' }), denied)
    })

    test('a condition of a repository policy is asked of who comes from outside, too', async () => {
      const { foreign, server, target } = world
      const pull = () => foreign.ecr.listImages({ registryId: server.account, repositoryName: target.repositoryName })
      const granting = (address: string) =>
        world.repositoryPolicy({
          ...{ Effect: 'Allow', Action: 'ecr:ListImages', Principal: '*' },
          Condition: {
            IpAddress: { 'aws:SourceIp': address },
            StringEquals: { 'aws:PrincipalAccount': foreign.account },
          },
        })
      await foreign.may(allow('ecr:ListImages'))
      await granting('127.0.0.1')
      await pull()
      await granting('10.0.0.0/8')
      await assert.rejects(pull(), denied)
      await world.repositoryPolicy()
    })
  })
})

test('aws:SecureTransport is true where the connection has TLS, on both planes', async () => {
  const { certFile, keyFile, cert } = selfSigned
  await using server = await startServer({ environment: { LADING_TLS_CERT: certFile, LADING_TLS_KEY: keyFile } })
  const agent = new Agent({ ca: cert })
  const options = { endpoint: server.url, region: server.region, requestHandler: { httpsAgent: agent } }
  const iam = new IAM({ ...options, credentials: server.credentials })
  const root = new ECR({ ...options, credentials: server.credentials })
  const repositoryName = 'team/app'
  await root.createRepository({ repositoryName })
  const UserName = 'dora'
  await iam.createUser({ UserName })
  const { AccessKey } = await iam.createAccessKey({ UserName })
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
  const ecr = new ECR({ ...options, credentials: { accessKeyId, secretAccessKey } })
  const may = (secure: string) => {
    const statements = [
      allow('ecr:GetAuthorizationToken'),
      allow('ecr:ListImages', { Bool: { 'aws:SecureTransport': secure } }),
    ]
    return iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument: documentOf(statements) })
  }
  await may('true')
  await ecr.listImages({ repositoryName })
  const { authorizationData } = await ecr.getAuthorizationToken({})
  const headers = { authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` }
  const list = async () => {
    const asked = get(`${server.url}/v2/${repositoryName}/tags/list`, { agent, headers })
    // What node:http answers with.
    const [{ statusCode }] = (await once(asked, 'response')) as [IncomingMessage]
    return statusCode
  }
  assert.equal(await list(), 200)
  await may('false')
  assert.equal(await list(), 403)
  await assert.rejects(ecr.listImages({ repositoryName }), denied)
  for (const each of [iam, root, ecr, agent]) each.destroy()
})
