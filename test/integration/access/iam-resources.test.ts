/** What policies may ask of the users, roles, policies and providers that a call of IAM is about: their tags and boundaries. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { IAM } from '@aws-sdk/client-iam'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { type Statement, startWorld } from './world.ts'

const everything: Statement = { Effect: 'Allow', Action: 'iam:*', Resource: '*' }
const trust = JSON.stringify({
  Statement: { Effect: 'Allow', Principal: { Service: 'ecr.amazonaws.com' }, Action: 'sts:AssumeRole' },
})
const PolicyDocument = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'ecr:*', Resource: '*' },
})
const Tags = [{ Key: 'Protected', Value: 'yes' }]

eachDatabaseInCi((databases) => {
  describe(`resources of IAM, ${databases.dialect}`, () => {
    async function hiring() {
      const world = await startWorld({ database: await databases.url() })
      const { server, own } = world
      const iam = new IAM({
        ...{ endpoint: server.url, region: server.region, credentials: own.credentials, maxAttempts: 1 },
      })
      return {
        ...{ own, iam, root: world.iam },
        async [Symbol.asyncDispose]() {
          iam.destroy()
          await world[Symbol.asyncDispose]()
        },
      }
    }

    test('a denial spares what has no such tag, and nothing that has it', async () => {
      await using hired = await hiring()
      const { own, iam, root } = hired
      await root.createUser({ UserName: 'vip', Path: '/staff/', Tags })
      await root.createUser({ UserName: 'temp', Path: '/staff/' })
      await root.createRole({ RoleName: 'vip', AssumeRolePolicyDocument: trust, Tags })
      const { Policy } = await root.createPolicy({ PolicyName: 'vip', PolicyDocument, Tags })
      const PolicyArn = Policy?.Arn
      const provider = await root.createOpenIDConnectProvider({ Url: 'https://idp.example', Tags })
      const { OpenIDConnectProviderArn } = provider
      for (const key of ['aws:ResourceTag/protected', 'iam:ResourceTag/Protected']) {
        const Condition = { StringEquals: { [key]: 'yes' } }
        await own.may(everything, { Effect: 'Deny', Action: 'iam:*', Resource: '*', Condition })
        for (const denied of [
          () => iam.createAccessKey({ UserName: 'vip' }),
          () => iam.createAccessKey({ UserName: 'VIP' }),
          () => iam.untagUser({ UserName: 'vip', TagKeys: ['Protected'] }),
          () => iam.updateAssumeRolePolicy({ RoleName: 'vip', PolicyDocument: trust }),
          () => iam.createPolicyVersion({ PolicyArn, PolicyDocument, SetAsDefault: true }),
          () => iam.addClientIDToOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID: 'mine' }),
        ]) {
          assert.equal((await refusalOf(denied())).name, 'AccessDenied', `${denied}`)
        }
        assert.equal((await refusalOf(iam.createUser({ UserName: 'vip' }))).name, 'EntityAlreadyExistsException')
        await iam.listAccessKeys({ UserName: 'temp' })
      }
    })

    test('who may hire only within a boundary gives policies to those alone that have it, and takes it from nobody', async () => {
      await using hired = await hiring()
      const { own, iam, root } = hired
      const { Policy } = await root.createPolicy({ PolicyName: 'boundary', PolicyDocument })
      const PermissionsBoundary = Policy?.Arn ?? ''
      await root.createUser({ UserName: 'unbounded' })
      const actions = [
        'iam:CreateUser',
        'iam:PutUserPolicy',
        'iam:AttachUserPolicy',
        'iam:DeleteUserPermissionsBoundary',
      ]
      const Condition = { StringEquals: { 'iam:PermissionsBoundary': PermissionsBoundary } }
      await own.may(
        { Effect: 'Allow', Action: actions, Resource: '*', Condition },
        { Effect: 'Deny', Action: 'iam:Delete*Boundary', Resource: '*', Condition },
      )
      assert.equal((await refusalOf(iam.createUser({ UserName: 'free' }))).name, 'AccessDenied')
      await iam.createUser({ UserName: 'new', PermissionsBoundary })
      const policy = { PolicyName: 'own', PolicyDocument }
      await iam.putUserPolicy({ UserName: 'new', ...policy })
      await iam.attachUserPolicy({ UserName: 'new', PolicyArn: PermissionsBoundary })
      for (const denied of [
        () => iam.putUserPolicy({ UserName: 'unbounded', ...policy }),
        () => iam.attachUserPolicy({ UserName: 'unbounded', PolicyArn: PermissionsBoundary }),
        () => iam.deleteUserPermissionsBoundary({ UserName: 'new' }),
      ]) {
        assert.equal((await refusalOf(denied())).name, 'AccessDenied', `${denied}`)
      }
    })
  })
})
