/** Policies mean who has a name when they are written: nobody who takes it afterwards, and the same under another name. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { STS } from '@aws-sdk/client-sts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { startWorld, type World } from './world.ts'

eachDatabase((databases) => {
  describe(`renamed and deleted principals, ${databases.dialect}`, () => {
    test('who comes later under the name of a deleted user is nobody to policies', async (t) => {
      const { world, names, arnOf, policies } = await startTrusting(t, databases)
      const first = await names('ann')
      await world.root.setRepositoryPolicy(policies.repository(arnOf('ann')))
      assert.ok(await mayDescribe(world, first))
      await leave(world, 'ann', first.accessKeyId)
      assert.ok(!(await mayDescribe(world, await names('ann'))))
      const { policyText = '' } = await world.root.getRepositoryPolicy({ repositoryName: 'team/app' })
      assert.match(policyText, /"AWS" : "AIDA[A-Z2-7]{16}"/)
      assert.ok(policyText.includes(`"aws:PrincipalArn" : "${arnOf('ann')}"`))
    })

    test('nor under the name of a renamed one, who is the same to policies', async (t) => {
      const { world, names, arnOf, policies } = await startTrusting(t, databases)
      const ann = await names('ann')
      // One may write the name of a principal in JSON in more than one way.
      await world.root.putRegistryPolicy({ policyText: policies.registry(arnOf('ann')).replace('user/', 'user\\/') })
      assert.ok(await mayDescribe(world, ann))
      await world.iam.updateUser({ UserName: 'ann', NewUserName: 'anna', NewPath: '/staff/' })
      assert.ok(await mayDescribe(world, ann))
      assert.ok(!(await mayDescribe(world, await names('ann'))))
    })

    test('a role trusts neither a later user nor a later role of a name', async (t) => {
      const { world, names, arnOf, policies } = await startTrusting(t, databases)
      const { iam } = world
      const ann = await names('ann')
      await iam.createRole({ RoleName: 'first', AssumeRolePolicyDocument: policies.trust(arnOf('ann')) })
      const first = `arn:aws:iam::${world.server.account}:role/first`
      await iam.createRole({ RoleName: 'second', AssumeRolePolicyDocument: policies.trust([first, arnOf('ann')]) })
      await world.root.setRepositoryPolicy(policies.repository(first))
      await leave(world, 'ann', ann.accessKeyId)
      await iam.deleteRole({ RoleName: 'first' })
      const trusted = await iam.getRole({ RoleName: 'second' })
      const document = decodeURIComponent(trusted.Role?.AssumeRolePolicyDocument ?? '')
      assert.match(document, /"AWS":\["AROA[A-Z2-7]{16}","AIDA[A-Z2-7]{16}"\]/)
      const { policyText } = await world.root.getRepositoryPolicy({ repositoryName: 'team/app' })
      assert.match(policyText ?? '', /"AWS" : "AROA[A-Z2-7]{16}"/)
      const { server } = world
      const sts = new STS({
        endpoint: server.url,
        region: server.region,
        credentials: await names('ann'),
        maxAttempts: 1,
      })
      t.after(() => sts.destroy())
      const second = { RoleArn: `arn:aws:iam::${server.account}:role/second`, RoleSessionName: 'session' }
      await assert.rejects(sts.assumeRole(second), { name: 'AccessDenied' })
    })
  })
})

async function startTrusting(t: TestContext, databases: Databases) {
  const world = await startWorld({ database: await databases.url() })
  t.after(() => world[Symbol.asyncDispose]())
  const { account } = world.server
  const allow = (AWS: string | string[], Action: string, more: object = {}) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS }, Action, ...more }] })
  const Condition = { StringNotEquals: { 'aws:UserAgent': 'none' }, ArnLike: { 'aws:PrincipalArn': '*' } }
  return {
    world,
    arnOf: (name: string) => `arn:aws:iam::${account}:user/${name}`,
    names: async (name: string) => (await world.user(name)).credentials,
    policies: {
      repository(principal: string) {
        const named = { ArnLikeIfExists: { 'aws:PrincipalArn': principal } }
        return { repositoryName: 'team/app', policyText: allow(principal, 'ecr:*', { Condition: named }), force: true }
      },
      registry: (principal: string) => allow(principal, 'ecr:*', { Condition, Resource: '*' }),
      trust: (principal: string | string[]) => allow(principal, 'sts:AssumeRole'),
    },
  }
}

async function leave({ iam }: World, UserName: string, AccessKeyId: string): Promise<void> {
  await iam.deleteAccessKey({ UserName, AccessKeyId })
  await iam.deleteUser({ UserName })
}

async function mayDescribe({ client }: World, credentials: Parameters<World['client']>[0]): Promise<boolean> {
  try {
    await client(credentials).describeImages({ repositoryName: 'team/app' })
    return true
  } catch (error) {
    assert.equal((error as Error).name, 'AccessDeniedException')
    return false
  }
}
