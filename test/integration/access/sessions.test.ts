/**
 * What the limits of a principal do, end to end: a session has its role's rights, its session policy and a boundary take away and
 * give nothing, and a denial names the policy that is missing or denies.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type AssumeRoleCommandInput, STS } from '@aws-sdk/client-sts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { repositoryArn } from './operations.ts'
import { documentOf, type Statement, startWorld, type World } from './world.ts'

const pull = 'ecr:BatchGetImage'
const allow = (Action: string | string[]): Statement => ({ Effect: 'Allow', Action, Resource: '*' })
const deny = (Action: string): Statement => ({ Effect: 'Deny', Action, Resource: '*' })

eachDatabaseInCi(({ dialect, url }) => {
  describe(`sessions and boundaries, over ${dialect}`, () => {
    let world: World
    let sts: STS
    before(async () => {
      world = await startWorld({ database: await url() })
      const { server, own } = world
      sts = new STS({ endpoint: server.url, region: server.region, credentials: own.credentials, maxAttempts: 1 })
    })
    after(async () => {
      sts.destroy()
      await world[Symbol.asyncDispose]()
    })

    /** A role that the user may take on, and a client with a session of it. */
    async function session(
      RoleName: string,
      statements: readonly Statement[],
      { policy, boundary }: { policy?: readonly Statement[]; boundary?: string } = {},
    ) {
      const { iam, own, server } = world
      const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: own.arn } } as const
      await iam.createRole({
        ...{ RoleName, AssumeRolePolicyDocument: documentOf([trust]) },
        ...(boundary !== undefined && { PermissionsBoundary: boundary }),
      })
      if (statements.length > 0)
        await iam.putRolePolicy({ RoleName, PolicyName: 'own', PolicyDocument: documentOf(statements) })
      const roleArn = `arn:aws:iam::${server.account}:role/${RoleName}`
      const asked: AssumeRoleCommandInput = { RoleArn: roleArn, RoleSessionName: 'build' }
      const { Credentials } = await sts.assumeRole({ ...asked, ...(policy && { Policy: documentOf(policy) }) })
      const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
      const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
      const arn = `arn:aws:sts::${server.account}:assumed-role/${RoleName}/build`
      return { arn, roleArn, credentials, ecr: world.client(credentials) }
    }

    async function boundary(PolicyName: string, ...statements: Statement[]): Promise<string> {
      const { Policy } = await world.iam.createPolicy({ PolicyName, PolicyDocument: documentOf(statements) })
      return Policy?.Arn ?? ''
    }

    type Client = Pick<Awaited<ReturnType<typeof session>>, 'arn' | 'ecr'>

    const fetch = ({ ecr }: Client) =>
      ecr.batchGetImage({ repositoryName: world.target.repositoryName, imageIds: [{ imageTag: 'v1' }] })

    async function denied(client: Client, end: string): Promise<void> {
      await assert.rejects(fetch(client), {
        name: 'AccessDeniedException',
        message: `User: ${client.arn} is not authorized to perform: ${pull} on resource: ${repositoryArn(world.target)} ${end}`,
      })
    }

    test('a session has the rights of its role as they stand, and not those of who took it on', async () => {
      await world.own.may(allow('ecr:*'))
      const client = await session('plain', [allow('ecr:ListImages')])
      await denied(client, `because no identity-based policy allows the ${pull} action`)
      const own = { RoleName: 'plain', PolicyName: 'own' }
      await world.iam.putRolePolicy({ ...own, PolicyDocument: documentOf([allow(pull)]) })
      await fetch(client)
      await world.iam.putRolePolicy({ ...own, PolicyDocument: documentOf([allow('*'), deny(pull)]) })
      await denied(client, 'with an explicit deny in an identity-based policy')
      await world.own.may()
    })

    test('a session policy takes away, and gives nothing', async () => {
      const narrow = await session('narrowed', [allow('ecr:*')], { policy: [allow('ecr:ListImages')] })
      await narrow.ecr.listImages({ repositoryName: world.target.repositoryName })
      await denied(narrow, `because no session policy allows the ${pull} action`)
      const wide = await session('widened', [allow('ecr:ListImages')], { policy: [allow('*')] })
      await denied(wide, `because no identity-based policy allows the ${pull} action`)
      const forbidden = await session('forbidden', [allow('*')], { policy: [allow('*'), deny(pull)] })
      await denied(forbidden, 'with an explicit deny in a session policy')
    })

    test('a boundary takes away from a role and a user, and gives nothing', async () => {
      const lists = await boundary('lists', allow('ecr:ListImages'))
      const all = await boundary('all', allow('*'))
      const spoiled = await boundary('spoiled', allow('*'), deny(pull))
      const inside = `because no permissions boundary allows the ${pull} action`
      await denied(await session('inside', [allow('*')], { boundary: lists }), inside)
      const empty = await session('empty', [], { boundary: all })
      await denied(empty, `because no identity-based policy allows the ${pull} action`)
      const denying = await session('denying', [allow('*')], { boundary: spoiled })
      await denied(denying, 'with an explicit deny in a permissions boundary')

      const carol = await world.user('carol')
      await carol.may(allow('*'))
      await fetch(carol)
      await world.iam.putUserPermissionsBoundary({ UserName: 'carol', PermissionsBoundary: lists })
      await denied(carol, inside)
      await world.repositoryPolicy({ Effect: 'Allow', Action: pull, Principal: { AWS: carol.arn } })
      await fetch(carol)
      await world.iam.putUserPermissionsBoundary({ UserName: 'carol', PermissionsBoundary: spoiled })
      await denied(carol, 'with an explicit deny in a permissions boundary')
      await world.repositoryPolicy()
    })

    test('a repository that names the role grants within the session policy, one that names the session beyond it', async () => {
      const free = await session('named', [])
      const narrow = await session('named-narrowly', [], { policy: [allow('ecr:ListImages')] })
      const granting = (AWS: string) => world.repositoryPolicy({ Effect: 'Allow', Action: pull, Principal: { AWS } })
      await granting(free.roleArn)
      await fetch(free)
      await granting(narrow.roleArn)
      await denied(narrow, `because no session policy allows the ${pull} action`)
      await granting(narrow.arn)
      await fetch(narrow)
      await world.repositoryPolicy()
    })

    test('a stranger that takes on a role of the account acts as one of it, and comes to no more by itself', async () => {
      const { foreign, iam, own, server } = world
      const { roleArn } = await session('lent', [allow(pull)])
      const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: [own.arn, foreign.arn] } } as const
      await iam.updateAssumeRolePolicy({ RoleName: 'lent', PolicyDocument: documentOf([trust]) })
      await foreign.may(allow('*'))
      const options = { endpoint: server.url, region: server.region, credentials: foreign.credentials }
      const foreignSts = new STS({ ...options, maxAttempts: 1 })
      const { Credentials } = await foreignSts.assumeRole({ RoleArn: roleArn, RoleSessionName: 'guest' })
      foreignSts.destroy()
      const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
      const guest = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
      await fetch({ arn: '', ecr: world.client(guest) })
      await assert.rejects(foreign.ecr.batchGetImage({ ...world.target, imageIds: [{ imageTag: 'v1' }] }), {
        message: new RegExp(`because no resource-based policy allows the ${pull} action$`),
      })
    })

    test('the root of an account may do all to what is its own, unless that denies, and to others’ what they allow', async () => {
      const { server, root, target } = world
      const other = world.client(await server.addAccount('333333333333'))
      const rootOf = (account: string) => `arn:aws:iam::${account}:root`
      const client = { arn: rootOf(server.account), ecr: root }
      await fetch(client)
      const asStranger = () => other.batchGetImage({ ...target, imageIds: [{ imageTag: 'v1' }] })
      const sentence = (arn: string, end: string) =>
        `User: ${arn} is not authorized to perform: ${pull} on resource: ${repositoryArn(target)} ${end}`
      const unnamed = `because no resource-based policy allows the ${pull} action`
      await assert.rejects(asStranger(), { message: sentence(rootOf('333333333333'), unnamed) })
      const everybody = { Action: pull, Principal: '*' } as const
      await world.repositoryPolicy({ Effect: 'Allow', ...everybody })
      await asStranger()
      await world.repositoryPolicy({ Effect: 'Allow', ...everybody }, { Effect: 'Deny', ...everybody })
      await denied(client, 'with an explicit deny in a resource-based policy')
      await world.repositoryPolicy()
    })

    test('a token that a session got stands for the session, on the data plane too', async () => {
      const rights = [allow('ecr:*')]
      const policy = [allow(['ecr:GetAuthorizationToken', 'ecr:ListImages'])]
      const { arn, credentials } = await session('docker', rights, { policy })
      const { server, target } = world
      const client = await openOciClient(server, { credentials })
      assert.equal((await client.call('GET', `/v2/${target.repositoryName}/tags/list`)).status, 200)
      const answer = await client.call('GET', `/v2/${target.repositoryName}/manifests/v1`)
      assert.deepEqual(
        [answer.status, answer.error, answer.message],
        [
          403,
          'DENIED',
          `User: ${arn} is not authorized to perform: ${pull} on resource: ${repositoryArn(target)} because no session policy allows the ${pull} action (request id: ${answer.headers['x-amzn-requestid']})`,
        ],
      )
      await client[Symbol.asyncDispose]()
    })
  })
})
