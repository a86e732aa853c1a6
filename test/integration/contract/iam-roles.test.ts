import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { IAM } from '@aws-sdk/client-iam'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, refusalOf } from '#test/support/ecr-session.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'

const missing = (message: string) => ({ name: 'NoSuchEntityException', message, status: 404 })

function trusting(AWS: string) {
  const Statement = [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }]
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

function allowing(Action: string) {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] })
}

function client(t: TestContext, server: RunningServer): IAM {
  const { url: endpoint, region, credentials } = server
  const iam = new IAM({ endpoint, region, credentials, maxAttempts: 1 })
  t.after(() => iam.destroy())
  return iam
}

eachDatabase((databases) => {
  describe(`IAM, ${databases.dialect}`, () => {
    async function start(t: TestContext) {
      const server = await startServer({ database: await databases.url() })
      t.after(() => server.stop())
      return { server, iam: client(t, server), account: server.account }
    }

    test('a role is created, read, changed, tagged, listed and deleted', async (t) => {
      const { iam, account } = await start(t)
      const trust = trusting(account)
      const { Role: created } = await iam.createRole({
        ...{ RoleName: 'Deploy', Path: '/ci/', AssumeRolePolicyDocument: trust, Description: 'deploys' },
        ...{ MaxSessionDuration: 7_200, Tags: [{ Key: 'team', Value: 'x' }] },
        PermissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess',
      })
      assert.equal(created?.Arn, `arn:aws:iam::${account}:role/ci/Deploy`)
      assert.equal(decodeURIComponent(created.AssumeRolePolicyDocument ?? ''), trust)
      assert.match(created.AssumeRolePolicyDocument ?? '', /^%7B%22Version%22%3A/)
      assert.ok(created.CreateDate instanceof Date)
      const { Role } = await iam.getRole({ RoleName: 'Deploy' })
      assert.deepEqual(Role, created)

      await iam.updateRole({ RoleName: 'Deploy', MaxSessionDuration: 3_600 })
      await iam.updateRoleDescription({ RoleName: 'Deploy', Description: 'builds' })
      await iam.updateAssumeRolePolicy({ RoleName: 'Deploy', PolicyDocument: trusting('*') })
      await iam.tagRole({ RoleName: 'Deploy', Tags: [{ Key: 'a', Value: 'b' }] })
      await iam.untagRole({ RoleName: 'Deploy', TagKeys: ['team'] })
      await iam.deleteRolePermissionsBoundary({ RoleName: 'Deploy' })
      const { Role: changed } = await iam.getRole({ RoleName: 'Deploy' })
      const { PermissionsBoundary, ...rest } = created
      assert.equal(PermissionsBoundary?.PermissionsBoundaryType, 'PermissionsBoundaryPolicy')
      assert.deepEqual(changed, {
        ...{ ...rest, MaxSessionDuration: 3_600, Description: 'builds', Tags: [{ Key: 'a', Value: 'b' }] },
        AssumeRolePolicyDocument: encodeURIComponent(trusting('*')).replaceAll('*', '%2A'),
      })
      assert.deepEqual((await iam.listRoleTags({ RoleName: 'Deploy' })).Tags, [{ Key: 'a', Value: 'b' }])
      assert.deepEqual((await iam.listInstanceProfilesForRole({ RoleName: 'Deploy' })).InstanceProfiles, [])

      await iam.createRole({ RoleName: 'other', AssumeRolePolicyDocument: trust })
      const first = await iam.listRoles({ MaxItems: 1 })
      assert.equal(first.IsTruncated, true)
      const second = await iam.listRoles({ MaxItems: 1, Marker: first.Marker })
      assert.deepEqual(
        [...(first.Roles ?? []), ...(second.Roles ?? [])].map(({ RoleName }) => RoleName),
        ['Deploy', 'other'],
      )
      assert.equal(second.IsTruncated, false)
      assert.deepEqual((await iam.listRoles({ PathPrefix: '/ci/' })).Roles?.length, 1)

      await iam.deleteRole({ RoleName: 'Deploy' })
      const gone = missing('The role with name Deploy cannot be found.')
      assert.deepEqual(await refusalOf(iam.getRole({ RoleName: 'Deploy' })), gone)
      assert.deepEqual(await refusalOf(iam.deleteRole({ RoleName: 'Deploy' })), gone)
    })

    test('a role keeps from being deleted what it has', async (t) => {
      const { iam, account } = await start(t)
      const RoleName = 'Deploy'
      await iam.createRole({ RoleName, AssumeRolePolicyDocument: trusting(account) })
      await iam.putRolePolicy({ RoleName, PolicyName: 'inline', PolicyDocument: allowing('ecr:*') })
      assert.deepEqual((await iam.listRolePolicies({ RoleName })).PolicyNames, ['inline'])
      const { PolicyDocument = '' } = await iam.getRolePolicy({ RoleName, PolicyName: 'inline' })
      assert.equal(decodeURIComponent(PolicyDocument), allowing('ecr:*'))
      const PolicyArn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly'
      await iam.attachRolePolicy({ RoleName, PolicyArn })
      assert.deepEqual((await iam.listAttachedRolePolicies({ RoleName })).AttachedPolicies, [
        { PolicyArn, PolicyName: 'AmazonEC2ContainerRegistryPullOnly' },
      ])
      const conflict = (message: string) => ({ name: 'DeleteConflictException', message, status: 409 })
      assert.deepEqual(
        await refusalOf(iam.deleteRole({ RoleName })),
        conflict('Cannot delete entity, must detach all policies first.'),
      )
      await iam.detachRolePolicy({ RoleName, PolicyArn })
      assert.deepEqual(
        await refusalOf(iam.deleteRole({ RoleName })),
        conflict('Cannot delete entity, must delete policies first.'),
      )
      await iam.deleteRolePolicy({ RoleName, PolicyName: 'inline' })
      await iam.deleteRole({ RoleName })
    })

    test('a role that cannot be is refused in the words of IAM', async (t) => {
      const { iam, account } = await start(t)
      const role = { RoleName: 'Deploy', AssumeRolePolicyDocument: trusting(account) }
      await iam.createRole(role)
      assert.deepEqual(await refusalOf(iam.createRole({ ...role, RoleName: 'DEPLOY' })), {
        ...{ name: 'EntityAlreadyExistsException', message: 'Role with name DEPLOY already exists.', status: 409 },
      })
      const nobody = `arn:aws:iam::${account}:user/nobody`
      assert.deepEqual(await refusalOf(iam.createRole({ RoleName: 'x', AssumeRolePolicyDocument: trusting(nobody) })), {
        name: 'MalformedPolicyDocumentException',
        message: `Invalid principal in policy: "AWS":"${nobody}"`,
        status: 400,
      })
      const { name, status } = await refusalOf(iam.createRole({ RoleName: 'x', AssumeRolePolicyDocument: '{}' }))
      assert.deepEqual([name, status], ['MalformedPolicyDocumentException', 400])
      const PermissionsBoundary = `arn:aws:iam::${account}:policy/none`
      assert.deepEqual(await refusalOf(iam.createRole({ ...role, RoleName: 'x', PermissionsBoundary })), {
        name: 'InvalidInputException',
        message: `Scope ARN: ${PermissionsBoundary} does not exist or is not attachable.`,
        status: 400,
      })
    })

    test('a managed policy is created, versioned, attached, tagged, listed and deleted', async (t) => {
      const { iam, account } = await start(t)
      const { Policy } = await iam.createPolicy({
        ...{ PolicyName: 'Push', Path: '/ci/', PolicyDocument: allowing('ecr:V1'), Description: 'pushes' },
        Tags: [{ Key: 'a', Value: 'b' }],
      })
      const PolicyArn = `arn:aws:iam::${account}:policy/ci/Push`
      assert.equal(Policy?.Arn, PolicyArn)
      const { Policy: read } = await iam.getPolicy({ PolicyArn })
      assert.deepEqual(read, { ...Policy, Description: 'pushes', Tags: [{ Key: 'a', Value: 'b' }] })

      const version = await iam.createPolicyVersion({
        ...{ PolicyArn, PolicyDocument: allowing('ecr:V2'), SetAsDefault: true },
      })
      assert.deepEqual([version.PolicyVersion?.VersionId, version.PolicyVersion?.IsDefaultVersion], ['v2', true])
      const { PolicyVersion } = await iam.getPolicyVersion({ PolicyArn, VersionId: 'v1' })
      assert.equal(decodeURIComponent(PolicyVersion?.Document ?? ''), allowing('ecr:V1'))
      await iam.setDefaultPolicyVersion({ PolicyArn, VersionId: 'v1' })
      const listed = await iam.listPolicyVersions({ PolicyArn, MaxItems: 1 })
      const more = await iam.listPolicyVersions({ PolicyArn, MaxItems: 1, Marker: listed.Marker })
      assert.deepEqual(
        [...(listed.Versions ?? []), ...(more.Versions ?? [])].map((each) => [each.VersionId, each.IsDefaultVersion]),
        [
          ['v2', false],
          ['v1', true],
        ],
      )
      for (const VersionId of ['v9', 'v1.x', `v${'9'.repeat(30)}`]) {
        const { name } = await refusalOf(iam.getPolicyVersion({ PolicyArn, VersionId }))
        assert.equal(name, 'NoSuchEntityException')
      }

      await iam.createRole({ RoleName: 'Deploy', AssumeRolePolicyDocument: trusting(account) })
      await iam.attachRolePolicy({ RoleName: 'Deploy', PolicyArn })
      await iam.putRolePermissionsBoundary({ RoleName: 'Deploy', PermissionsBoundary: PolicyArn })
      const { Policies } = await iam.listPolicies({ OnlyAttached: true })
      assert.deepEqual(
        Policies?.map((each) => [each.Arn, each.AttachmentCount, each.PermissionsBoundaryUsageCount]),
        [[PolicyArn, 1, 1]],
      )
      const entities = await answerOf(iam.listEntitiesForPolicy({ PolicyArn }))
      assert.deepEqual(
        entities.PolicyRoles?.map(({ RoleName }) => RoleName),
        ['Deploy'],
      )
      assert.deepEqual((await iam.listEntitiesForPolicy({ PolicyArn, EntityFilter: 'User' })).PolicyRoles, [])
      const { name, message } = await refusalOf(iam.deletePolicy({ PolicyArn }))
      assert.deepEqual([name, message], ['DeleteConflictException', 'Cannot delete a policy attached to entities.'])
      await iam.detachRolePolicy({ RoleName: 'Deploy', PolicyArn })
      await iam.deleteRolePermissionsBoundary({ RoleName: 'Deploy' })
      assert.match((await refusalOf(iam.deletePolicy({ PolicyArn }))).message, /more than one version/)
      await iam.deletePolicyVersion({ PolicyArn, VersionId: 'v2' })
      assert.match(
        (await refusalOf(iam.deletePolicyVersion({ PolicyArn, VersionId: 'v1' }))).message,
        /Cannot delete the default version of a policy/,
      )
      await iam.tagPolicy({ PolicyArn, Tags: [{ Key: 'A', Value: 'c' }] })
      assert.deepEqual((await iam.listPolicyTags({ PolicyArn })).Tags, [{ Key: 'A', Value: 'c' }])
      await iam.untagPolicy({ PolicyArn, TagKeys: ['a'] })
      await iam.deletePolicy({ PolicyArn })
      assert.deepEqual(await refusalOf(iam.getPolicy({ PolicyArn })), missing(`Policy ${PolicyArn} was not found.`))
    })

    test('the policies of AWS are listed, read and left alone', async (t) => {
      const { iam } = await start(t)
      const { Policies = [] } = await iam.listPolicies({ Scope: 'AWS' })
      const names = Policies.map(({ PolicyName }) => PolicyName)
      for (const level of ['FullAccess', 'PowerUser', 'ReadOnly', 'PullOnly']) {
        assert.ok(names.includes(`AmazonEC2ContainerRegistry${level}`))
      }
      const PolicyArn = 'arn:aws:iam::aws:policy/aws-service-role/AWSECRPullThroughCache_ServiceRolePolicy'
      const { Policy } = await iam.getPolicy({ PolicyArn })
      assert.equal(Policy?.DefaultVersionId, 'v4')
      const { PolicyVersion } = await iam.getPolicyVersion({ PolicyArn, VersionId: 'v4' })
      assert.match(decodeURIComponent(PolicyVersion?.Document ?? ''), /ecr-pullthroughcache/)
      assert.deepEqual((await iam.listPolicies({ Scope: 'Local' })).Policies, [])
      for (const change of [
        () => iam.deletePolicy({ PolicyArn }),
        () => iam.setDefaultPolicyVersion({ PolicyArn, VersionId: 'v4' }),
        () => iam.tagPolicy({ PolicyArn, Tags: [{ Key: 'a', Value: 'b' }] }),
        () => iam.createPolicyVersion({ PolicyArn, PolicyDocument: allowing('*') }),
      ]) {
        const { name, status } = await refusalOf(change())
        assert.deepEqual([name, status], ['AccessDenied', 403])
      }
    })

    test('an identity provider is created, changed, tagged, listed and deleted', async (t) => {
      const { iam, account } = await start(t)
      const { OpenIDConnectProviderArn } = await iam.createOpenIDConnectProvider({
        ...{
          Url: 'https://issuer.example/id/1',
          ClientIDList: ['sts.amazonaws.com'],
          Tags: [{ Key: 'a', Value: 'b' }],
        },
        ThumbprintList: ['ab'.repeat(20)],
      })
      assert.equal(OpenIDConnectProviderArn, `arn:aws:iam::${account}:oidc-provider/issuer.example/id/1`)
      await iam.addClientIDToOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID: 'x' })
      await iam.removeClientIDFromOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID: 'sts.amazonaws.com' })
      await iam.updateOpenIDConnectProviderThumbprint({ OpenIDConnectProviderArn, ThumbprintList: [] })
      await iam.tagOpenIDConnectProvider({ OpenIDConnectProviderArn, Tags: [{ Key: 'c', Value: 'd' }] })
      await iam.untagOpenIDConnectProvider({ OpenIDConnectProviderArn, TagKeys: ['a'] })
      const { CreateDate, ...provider } = await answerOf(iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn }))
      assert.ok(CreateDate instanceof Date)
      assert.deepEqual(provider, {
        ...{ Url: 'issuer.example/id/1', ClientIDList: ['x'], ThumbprintList: [], Tags: [{ Key: 'c', Value: 'd' }] },
      })
      const { Tags } = await iam.listOpenIDConnectProviderTags({ OpenIDConnectProviderArn })
      assert.deepEqual(Tags, [{ Key: 'c', Value: 'd' }])
      const { OpenIDConnectProviderList } = await iam.listOpenIDConnectProviders({})
      assert.deepEqual(OpenIDConnectProviderList, [{ Arn: OpenIDConnectProviderArn }])
      assert.deepEqual(await refusalOf(iam.createOpenIDConnectProvider({ Url: 'https://issuer.example/id/1' })), {
        name: 'EntityAlreadyExistsException',
        message: 'Provider with url https://issuer.example/id/1 already exists.',
        status: 409,
      })
      assert.equal(
        (await refusalOf(iam.createOpenIDConnectProvider({ Url: 'http://issuer.example' }))).name,
        'InvalidInputException',
      )
      await iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn })
      assert.deepEqual(
        await refusalOf(iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn })),
        missing(`OpenIDConnect Provider not found for arn ${OpenIDConnectProviderArn}`),
      )
    })
  })
})
