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
      assert.deepEqual([created.MaxSessionDuration, created.RoleLastUsed], [undefined, undefined])
      const { Role } = await iam.getRole({ RoleName: 'Deploy' })
      assert.deepEqual(Role, { ...created, MaxSessionDuration: 7_200, RoleLastUsed: {} })

      const { Role: described } = await iam.updateRoleDescription({ RoleName: 'Deploy', Description: 'builds' })
      assert.deepEqual(described, { ...created, Description: 'builds' })
      assert.equal((await iam.getRole({ RoleName: 'Deploy' })).Role?.MaxSessionDuration, 7_200)
      await iam.updateRole({ RoleName: 'Deploy' })
      await iam.updateAssumeRolePolicy({ RoleName: 'Deploy', PolicyDocument: trusting('*') })
      await iam.tagRole({ RoleName: 'Deploy', Tags: [{ Key: 'a', Value: 'b' }] })
      await iam.untagRole({ RoleName: 'Deploy', TagKeys: ['team'] })
      await iam.deleteRolePermissionsBoundary({ RoleName: 'Deploy' })
      const { Role: changed } = await iam.getRole({ RoleName: 'Deploy' })
      const { PermissionsBoundary, ...rest } = created
      assert.equal(PermissionsBoundary?.PermissionsBoundaryType, 'Policy')
      assert.deepEqual(changed, {
        ...{ ...rest, MaxSessionDuration: 3_600, RoleLastUsed: {} },
        ...{ Description: 'builds', Tags: [{ Key: 'a', Value: 'b' }] },
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
      const noBoundary = missing(`Scope ARN: ${PermissionsBoundary} does not exist or is not attachable.`)
      assert.deepEqual(await refusalOf(iam.createRole({ ...role, RoleName: 'x', PermissionsBoundary })), noBoundary)
      const noJson = {
        ...{ name: 'MalformedPolicyDocumentException', message: 'This policy contains invalid Json', status: 400 },
      }
      for (const text of ['{', 'nothing', '{"a":1,}']) {
        const created = iam.createRole({ RoleName: 'x', AssumeRolePolicyDocument: text })
        assert.deepEqual(await refusalOf(created), noJson)
        const updated = iam.updateAssumeRolePolicy({ RoleName: 'Deploy', PolicyDocument: text })
        assert.deepEqual(await refusalOf(updated), noJson)
      }
    })

    test('a text that is not an ARN is refused wherever IAM takes one', async (t) => {
      const { iam, account } = await start(t)
      await iam.createRole({ RoleName: 'Deploy', AssumeRolePolicyDocument: trusting(account) })
      await iam.createUser({ UserName: 'ann' })
      await iam.createGroup({ GroupName: 'ops' })
      const [role, user, group] = [{ RoleName: 'Deploy' }, { UserName: 'ann' }, { GroupName: 'ops' }]
      for (const PolicyArn of [
        'a-policy-and-no-arn-at-all',
        'arn:aws:iam:policy/x',
        'arn::iam::111122223333:policy/x',
      ]) {
        const PermissionsBoundary = PolicyArn
        const calls: readonly (() => Promise<unknown>)[] = [
          ...[() => iam.attachRolePolicy({ ...role, PolicyArn }), () => iam.detachRolePolicy({ ...role, PolicyArn })],
          ...[() => iam.attachUserPolicy({ ...user, PolicyArn }), () => iam.detachUserPolicy({ ...user, PolicyArn })],
          () => iam.attachGroupPolicy({ ...group, PolicyArn }),
          () => iam.detachGroupPolicy({ ...group, PolicyArn }),
          ...[() => iam.getPolicy({ PolicyArn }), () => iam.deletePolicy({ PolicyArn })],
          ...[() => iam.listPolicyVersions({ PolicyArn }), () => iam.listPolicyTags({ PolicyArn })],
          () => iam.getPolicyVersion({ PolicyArn, VersionId: 'v1' }),
          () => iam.putRolePermissionsBoundary({ ...role, PermissionsBoundary }),
          () => iam.putUserPermissionsBoundary({ ...user, PermissionsBoundary }),
          () => iam.createUser({ UserName: 'bob', PermissionsBoundary }),
        ]
        for (const call of calls) {
          assert.deepEqual(await refusalOf(call()), {
            ...{ name: 'ValidationError', message: 'Invalid ARN:  Could not be parsed!', status: 400 },
          })
        }
      }
    })

    test('tags are listed by key, in pages that joined are the whole list', async (t) => {
      const { iam, account } = await start(t)
      const keys = ['c', 'a b', 'Z', 'd', 'ä']
      const Tags = keys.map((Key) => ({ Key, Value: `${Key}=` }))
      await iam.createRole({ RoleName: 'Deploy', AssumeRolePolicyDocument: trusting(account), Tags })
      await iam.createUser({ UserName: 'ann', Tags })
      const { Policy } = await iam.createPolicy({ PolicyName: 'Push', PolicyDocument: allowing('ecr:*'), Tags })
      const provider = await iam.createOpenIDConnectProvider({
        ...{ Url: 'https://issuer.example/id/1', ClientIDList: ['x'], Tags },
      })
      const { OpenIDConnectProviderArn } = provider
      type Listing = (page: { MaxItems?: number; Marker?: string | undefined }) => Promise<{
        Tags?: { Key: string | undefined; Value: string | undefined }[] | undefined
        IsTruncated?: boolean | undefined
        Marker?: string | undefined
      }>
      const listings: readonly Listing[] = [
        (page) => iam.listRoleTags({ RoleName: 'Deploy', ...page }),
        (page) => iam.listUserTags({ UserName: 'ann', ...page }),
        (page) => iam.listPolicyTags({ PolicyArn: Policy?.Arn, ...page }),
        (page) => iam.listOpenIDConnectProviderTags({ OpenIDConnectProviderArn, ...page }),
      ]
      const sorted = ['Z', 'a b', 'c', 'd', 'ä']
      let foreign: string | undefined
      for (const list of listings) {
        const whole = await list({})
        assert.deepEqual([whole.Tags?.map(({ Key }) => Key), whole.IsTruncated], [sorted, false])
        const found: (string | undefined)[] = []
        let Marker: string | undefined
        do {
          const page = await list({ MaxItems: 2, Marker })
          assert.equal(page.IsTruncated, page.Marker !== undefined)
          found.push(...(page.Tags ?? []).map(({ Key }) => Key))
          Marker = page.Marker
        } while (Marker !== undefined)
        assert.deepEqual(found, sorted)
        for (const wrong of ['nonsense', ...(foreign === undefined ? [] : [foreign])]) {
          assert.equal((await refusalOf(list({ Marker: wrong }))).name, 'ValidationError')
        }
        foreign = (await list({ MaxItems: 1 })).Marker
      }
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
      assert.deepEqual(Policy.Tags, [{ Key: 'a', Value: 'b' }])
      assert.deepEqual(read, { ...Policy, Description: 'pushes' })
      const { Policy: plain } = await iam.createPolicy({ PolicyName: 'Pull', PolicyDocument: allowing('ecr:V1') })
      assert.equal(plain?.Tags, undefined)

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
        const refused = await refusalOf(iam.getPolicyVersion({ PolicyArn, VersionId }))
        assert.deepEqual(
          refused,
          missing(`Policy ${PolicyArn} version ${VersionId} does not exist or is not attachable.`),
        )
      }
      const other = { PolicyArn: `arn:aws:iam::${account}:policy/none`, VersionId: 'v1' }
      for (const call of [() => iam.getPolicyVersion(other), () => iam.setDefaultPolicyVersion(other)]) {
        assert.deepEqual(
          await refusalOf(call()),
          missing(`Policy ${other.PolicyArn} version v1 does not exist or is not attachable.`),
        )
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
      assert.deepEqual(await refusalOf(iam.createOpenIDConnectProvider({ Url: 'http://issuer.example' })), {
        ...{ name: 'ValidationError', message: 'Invalid Open ID Connect Provider URL', status: 400 },
      })
      const ThumbprintList = Array.from({ length: 6 }, (_, index) => `${index}`.repeat(40))
      for (const call of [
        () => iam.createOpenIDConnectProvider({ Url: 'https://other.example', ThumbprintList }),
        () => iam.updateOpenIDConnectProviderThumbprint({ OpenIDConnectProviderArn, ThumbprintList }),
      ]) {
        const message = 'Thumbprint list must contain fewer than 5 entries.'
        assert.deepEqual(await refusalOf(call()), { name: 'InvalidInputException', message, status: 400 })
      }
      const untagged = await iam.createOpenIDConnectProvider({ Url: 'https://untagged.example' })
      assert.equal(untagged.Tags, undefined)
      await iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn: untagged.OpenIDConnectProviderArn })
      await iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn })
      assert.deepEqual(
        await refusalOf(iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn })),
        missing(`OpenIDConnect Provider not found for arn ${OpenIDConnectProviderArn}`),
      )
    })
  })
})
