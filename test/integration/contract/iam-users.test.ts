/** Users, groups, access keys and their policies through the AWS SDK, on both databases, as the root of an account. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { IAM, ListUserPoliciesCommandOutput } from '@aws-sdk/client-iam'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, refusalOf } from '#test/support/ecr-session.ts'
import { type IamSession, startIamSession } from '#test/support/iam-session.ts'

const policy = (resource = '*') =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'ecr:*', Resource: resource }] })
const readOnly = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'

eachDatabase((databases) => {
  suite(`IAM users and groups on ${databases.dialect}`, () => {
    let session: IamSession
    let iam: IAM
    let account: string
    let made = 0
    before(async () => {
      session = await startIamSession({ database: await databases.url() })
      iam = session.iam
      account = session.server.account
    })
    after(() => session[Symbol.asyncDispose]())
    const user = async (): Promise<string> => {
      const UserName = `user-${++made}`
      await iam.createUser({ UserName })
      return UserName
    }
    const group = async (): Promise<string> => {
      const GroupName = `group-${++made}`
      await iam.createGroup({ GroupName })
      return GroupName
    }

    test('a user is created, found, listed, changed and deleted', async () => {
      const { User: created } = await answerOf(
        iam.createUser({
          UserName: 'Life',
          Path: '/team/',
          Tags: [
            { Key: 'a', Value: '1' },
            { Key: 'b', Value: '' },
          ],
          PermissionsBoundary: readOnly,
        }),
      )
      assert.match(created?.UserId ?? '', /^AIDA/)
      assert.deepEqual(created, {
        Path: '/team/',
        UserName: 'Life',
        UserId: created?.UserId,
        Arn: `arn:aws:iam::${account}:user/team/Life`,
        CreateDate: created?.CreateDate,
        PermissionsBoundary: {
          PermissionsBoundaryType: 'Policy',
          PermissionsBoundaryArn: readOnly,
        },
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '' },
        ],
      })
      assert.ok(Math.abs(Date.now() - (created?.CreateDate?.getTime() ?? 0)) < 60_000)
      assert.deepEqual((await iam.getUser({ UserName: 'life' })).User, created)
      const { PermissionsBoundary: _, Tags: __, ...listed } = created ?? {}
      assert.deepEqual((await iam.listUsers({ PathPrefix: '/te' })).Users, [listed])

      await iam.tagUser({ UserName: 'Life', Tags: [{ Key: 'A', Value: '2' }] })
      await iam.untagUser({ UserName: 'Life', TagKeys: ['B', 'none'] })
      assert.deepEqual((await iam.listUserTags({ UserName: 'Life' })).Tags, [{ Key: 'A', Value: '2' }])
      await iam.deleteUserPermissionsBoundary({ UserName: 'Life' })
      await iam.updateUser({ UserName: 'Life', NewUserName: 'Living', NewPath: '/' })
      const { User: renamed } = await iam.getUser({ UserName: 'Living' })
      assert.deepEqual(
        [renamed?.Arn, renamed?.UserId, renamed?.PermissionsBoundary],
        [`arn:aws:iam::${account}:user/Living`, created?.UserId, undefined],
      )
      await iam.putUserPermissionsBoundary({ UserName: 'Living', PermissionsBoundary: readOnly })
      await iam.deleteUser({ UserName: 'Living' })
      assert.deepEqual(await refusalOf(iam.getUser({ UserName: 'Living' })), {
        name: 'NoSuchEntityException',
        message: 'The user with name Living cannot be found.',
        status: 404,
      })
    })

    test('without a name the root is told of itself, and makes and manages keys of its own', async () => {
      const { User } = await iam.getUser({})
      assert.deepEqual([User?.Arn, User?.UserId], [`arn:aws:iam::${account}:root`, account])
      const { AccessKey } = await iam.createAccessKey({})
      const rootAgain = session.client({
        accessKeyId: AccessKey?.AccessKeyId ?? '',
        secretAccessKey: AccessKey?.SecretAccessKey ?? '',
      })
      assert.equal((await rootAgain.getUser({})).User?.Arn, `arn:aws:iam::${account}:root`)
      assert.deepEqual(await refusalOf(iam.createAccessKey({})), {
        name: 'LimitExceededException',
        message: 'Cannot exceed quota for AccessKeysPerUser: 2',
        status: 409,
      })
      assert.equal((await iam.listAccessKeys({})).AccessKeyMetadata?.length, 2)
      await iam.deleteAccessKey({ AccessKeyId: AccessKey?.AccessKeyId })
      assert.equal((await iam.listAccessKeys({})).AccessKeyMetadata?.length, 1)
    })

    test('a user’s keys are made, listed, switched and deleted', async () => {
      const UserName = await user()
      const { AccessKey: key } = await iam.createAccessKey({ UserName })
      assert.match(key?.AccessKeyId ?? '', /^AKIA[A-Z2-7]{16}$/)
      assert.equal(key?.SecretAccessKey?.length, 40)
      await iam.createAccessKey({ UserName })
      assert.equal((await refusalOf(iam.createAccessKey({ UserName }))).name, 'LimitExceededException')
      await iam.updateAccessKey({ UserName, AccessKeyId: key?.AccessKeyId, Status: 'Inactive' })
      const { AccessKeyMetadata: listed = [] } = await iam.listAccessKeys({ UserName })
      assert.deepEqual(
        listed.find(({ AccessKeyId }) => AccessKeyId === key?.AccessKeyId),
        { UserName, AccessKeyId: key?.AccessKeyId, Status: 'Inactive', CreateDate: key?.CreateDate },
      )
      assert.deepEqual(await answerOf(iam.getAccessKeyLastUsed({ AccessKeyId: key?.AccessKeyId })), {
        UserName,
        AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' },
      })
      for (const { AccessKeyId } of listed) await iam.deleteAccessKey({ UserName, AccessKeyId })
      assert.deepEqual((await iam.listAccessKeys({ UserName })).AccessKeyMetadata, [])
    })

    test('groups are created, found, listed, changed and deleted, with users in them', async () => {
      const UserName = await user()
      const { Group } = await iam.createGroup({ GroupName: 'Pushers', Path: '/ci/' })
      assert.match(Group?.GroupId ?? '', /^AGPA/)
      assert.equal(Group?.Arn, `arn:aws:iam::${account}:group/ci/Pushers`)
      await iam.addUserToGroup({ GroupName: 'pushers', UserName })
      const { Users, Group: found, IsTruncated } = await iam.getGroup({ GroupName: 'Pushers' })
      assert.deepEqual([found, Users?.map((each) => each.UserName), IsTruncated], [Group, [UserName], false])
      assert.deepEqual((await iam.listGroupsForUser({ UserName })).Groups, [Group])
      assert.deepEqual((await iam.listGroups({ PathPrefix: '/ci/' })).Groups, [Group])
      await iam.updateGroup({ GroupName: 'Pushers', NewGroupName: 'pullers', NewPath: '/' })
      await iam.removeUserFromGroup({ GroupName: 'pullers', UserName })
      await iam.deleteGroup({ GroupName: 'pullers' })
      assert.equal(
        (await refusalOf(iam.getGroup({ GroupName: 'pullers' }))).message,
        'The group with name pullers cannot be found.',
      )
    })

    test('inline policies come back percent-encoded, as they were written', async () => {
      const UserName = await user()
      const GroupName = await group()
      const PolicyDocument = `${policy('arn:aws:ecr:*:*:repository/*')}\n`
      await iam.putUserPolicy({ UserName, PolicyName: 'p', PolicyDocument })
      await iam.putGroupPolicy({ GroupName, PolicyName: 'p', PolicyDocument })
      const ofUser = await iam.getUserPolicy({ UserName, PolicyName: 'p' })
      const ofGroup = await iam.getGroupPolicy({ GroupName, PolicyName: 'p' })
      for (const { PolicyDocument: document = '', PolicyName } of [ofUser, ofGroup]) {
        assert.equal(PolicyName, 'p')
        assert.match(document, /^[\w%.~-]+$/)
        assert.equal(decodeURIComponent(document), PolicyDocument)
      }
      assert.deepEqual([ofUser.UserName, ofGroup.GroupName], [UserName, GroupName])
      assert.deepEqual((await iam.listUserPolicies({ UserName })).PolicyNames, ['p'])
      assert.deepEqual((await iam.listGroupPolicies({ GroupName })).PolicyNames, ['p'])
      await iam.deleteUserPolicy({ UserName, PolicyName: 'p' })
      await iam.deleteGroupPolicy({ GroupName, PolicyName: 'p' })
      assert.deepEqual((await iam.listUserPolicies({ UserName })).PolicyNames, [])
      assert.equal(
        (await refusalOf(iam.getGroupPolicy({ GroupName, PolicyName: 'p' }))).message,
        'The group policy with name p cannot be found.',
      )
    })

    test('managed policies are attached and detached', async () => {
      const UserName = await user()
      const GroupName = await group()
      await iam.attachUserPolicy({ UserName, PolicyArn: readOnly })
      await iam.attachGroupPolicy({ GroupName, PolicyArn: readOnly })
      const attached = [{ PolicyName: 'AmazonEC2ContainerRegistryReadOnly', PolicyArn: readOnly }]
      assert.deepEqual((await iam.listAttachedUserPolicies({ UserName })).AttachedPolicies, attached)
      assert.deepEqual((await iam.listAttachedGroupPolicies({ GroupName })).AttachedPolicies, attached)
      assert.deepEqual((await iam.listAttachedUserPolicies({ UserName, PathPrefix: '/x/' })).AttachedPolicies, [])
      await iam.detachUserPolicy({ UserName, PolicyArn: readOnly })
      await iam.detachGroupPolicy({ GroupName, PolicyArn: readOnly })
      assert.deepEqual(await refusalOf(iam.detachUserPolicy({ UserName, PolicyArn: readOnly })), {
        name: 'NoSuchEntityException',
        message: `Policy ${readOnly} was not found.`,
        status: 404,
      })
    })

    test('pages of one item joined are the whole list', async () => {
      const UserName = await user()
      const names = ['a', 'B', 'c']
      for (const name of names) {
        await iam.createUser({ UserName: `page-${name}`, Path: '/page/' })
        await iam.putUserPolicy({ UserName, PolicyName: name, PolicyDocument: policy() })
      }
      const users: (string | undefined)[] = []
      const policies: string[] = []
      let Marker: string | undefined
      do {
        const page = await iam.listUsers({ PathPrefix: '/page/', MaxItems: 1, Marker })
        users.push(...(page.Users ?? []).map((each) => each.UserName))
        assert.equal(page.IsTruncated, page.Marker !== undefined)
        Marker = page.Marker
      } while (Marker !== undefined)
      do {
        const page: ListUserPoliciesCommandOutput = await iam.listUserPolicies({ UserName, MaxItems: 1, Marker })
        policies.push(...(page.PolicyNames ?? []))
        Marker = page.Marker
      } while (Marker !== undefined)
      assert.deepEqual(
        [users, policies],
        [
          ['page-a', 'page-B', 'page-c'],
          ['B', 'a', 'c'],
        ],
      )
      const { Marker: foreign } = await iam.listUsers({ PathPrefix: '/page/', MaxItems: 1 })
      for (const Marker of [foreign, 'x']) {
        const { name, status } = await refusalOf(iam.listGroups({ Marker }))
        assert.deepEqual([name, status], ['ValidationError', 400])
      }
    })

    test('what a user does not have is told to be empty or absent', async () => {
      const UserName = await user()
      assert.deepEqual(await refusalOf(iam.getLoginProfile({ UserName })), {
        name: 'NoSuchEntityException',
        message: `Login Profile for User ${UserName} cannot be found.`,
        status: 404,
      })
      assert.equal((await refusalOf(iam.deleteLoginProfile({ UserName }))).name, 'NoSuchEntityException')
      assert.deepEqual((await iam.listMFADevices({ UserName })).MFADevices, [])
      assert.deepEqual((await iam.listVirtualMFADevices({})).VirtualMFADevices, [])
      assert.deepEqual((await iam.listSigningCertificates({ UserName })).Certificates, [])
      assert.deepEqual((await iam.listSSHPublicKeys({ UserName })).SSHPublicKeys, [])
      assert.deepEqual((await iam.listServiceSpecificCredentials({ UserName })).ServiceSpecificCredentials, [])
      assert.deepEqual((await iam.listAccountAliases({})).AccountAliases, [])
      const { SummaryMap } = await iam.getAccountSummary({})
      assert.ok((SummaryMap?.Users ?? 0) > 0)
      assert.equal(SummaryMap?.AccessKeysPerUserQuota, 2)
      assert.equal(SummaryMap?.InstanceProfilesQuota, 1_000)
      assert.equal(SummaryMap?.ServerCertificatesQuota, 20)
      assert.equal(SummaryMap?.SigningCertificatesPerUserQuota, 2)
      assert.equal(SummaryMap?.AccountAccessKeysPresent, 1)
    })

    test('every refusal has IAM’s code, status and text', async () => {
      const UserName = await user()
      const GroupName = await group()
      const otherUser = await user()
      const otherGroup = await group()
      const absent = { UserName: 'nobody', GroupName: 'none' }
      const PolicyArn = `arn:aws:iam::${account}:policy/none`
      const none = 'The user with name nobody cannot be found.'
      const noGroup = 'The group with name none cannot be found.'
      const tags = Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: '' }))
      const large = policy('arn:aws:ecr:us-east-1:111122223333:repository/'.padEnd(6_000, 'x'))
      const AccessKeyId = 'AKIAABSENTABSENTABSE'
      const cases: readonly (readonly [() => Promise<unknown>, string, number, string | RegExp])[] = [
        [
          () => iam.createUser({ UserName }),
          'EntityAlreadyExistsException',
          409,
          `User with name ${UserName} already exists.`,
        ],
        [
          () => iam.createUser({ UserName: 'x y' }),
          'ValidationError',
          400,
          /^1 validation error detected: Value 'x y' at 'userName'/,
        ],
        [
          () => iam.createUser({ UserName: 'x', PermissionsBoundary: PolicyArn }),
          'NoSuchEntityException',
          404,
          `Scope ARN: ${PolicyArn} does not exist or is not attachable.`,
        ],
        [
          () => iam.createUser({ UserName: 'x', PermissionsBoundary: 'x'.repeat(20) }),
          'ValidationError',
          400,
          'Invalid ARN:  Could not be parsed!',
        ],
        [
          () => iam.createUser({ UserName: 'x', Tags: tags }),
          'ValidationError',
          400,
          /Member must have length less than or equal to 50$/,
        ],
        [
          () => iam.createUser({ UserName: 'x', Tags: [{ Key: 'aws:x', Value: '' }] }),
          'InvalidInputException',
          400,
          /reserved/,
        ],
        [
          () =>
            iam.tagUser({
              UserName,
              Tags: [
                { Key: 'k', Value: '' },
                { Key: 'K', Value: '' },
              ],
            }),
          'InvalidInputException',
          400,
          'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
        ],
        [() => iam.tagUser({ ...absent, Tags: [] }), 'NoSuchEntityException', 404, none],
        [() => iam.untagUser({ ...absent, TagKeys: [] }), 'NoSuchEntityException', 404, none],
        [() => iam.listUserTags(absent), 'NoSuchEntityException', 404, none],
        [() => iam.updateUser(absent), 'NoSuchEntityException', 404, none],
        [
          () => iam.updateUser({ UserName: otherUser, NewUserName: UserName.toUpperCase() }),
          'EntityAlreadyExistsException',
          409,
          /already exists/,
        ],
        [() => iam.deleteUser(absent), 'NoSuchEntityException', 404, none],
        [() => iam.createAccessKey({ UserName: 'nobody' }), 'NoSuchEntityException', 404, none],
        [() => iam.listAccessKeys({ UserName: 'nobody' }), 'NoSuchEntityException', 404, none],
        [
          () => iam.updateAccessKey({ UserName, AccessKeyId, Status: 'Active' }),
          'NoSuchEntityException',
          404,
          `The Access Key with id ${AccessKeyId} cannot be found.`,
        ],
        [
          () => iam.updateAccessKey({ UserName, AccessKeyId, Status: 'Expired' }),
          'InvalidInputException',
          400,
          /Expired/,
        ],
        [() => iam.deleteAccessKey({ UserName, AccessKeyId }), 'NoSuchEntityException', 404, /^The Access Key/],
        [
          () => iam.getAccessKeyLastUsed({ AccessKeyId }),
          'AccessDenied',
          403,
          /on resource: access key AKIAABSENTABSENTABSE$/,
        ],
        [
          () => iam.createGroup({ GroupName: GroupName.toUpperCase() }),
          'EntityAlreadyExistsException',
          409,
          /^Group with name GROUP-\d+ already exists\.$/,
        ],
        [() => iam.getGroup(absent), 'NoSuchEntityException', 404, noGroup],
        [() => iam.updateGroup(absent), 'NoSuchEntityException', 404, noGroup],
        [
          () => iam.updateGroup({ GroupName: otherGroup, NewGroupName: GroupName }),
          'EntityAlreadyExistsException',
          409,
          /already exists/,
        ],
        [() => iam.deleteGroup(absent), 'NoSuchEntityException', 404, noGroup],
        [() => iam.addUserToGroup({ GroupName, UserName: 'nobody' }), 'NoSuchEntityException', 404, none],
        [() => iam.addUserToGroup({ GroupName: 'none', UserName }), 'NoSuchEntityException', 404, noGroup],
        [() => iam.addUserToGroup(absent), 'NoSuchEntityException', 404, none],
        [() => iam.removeUserFromGroup(absent), 'NoSuchEntityException', 404, none],
        [() => iam.removeUserFromGroup({ GroupName: 'none', UserName }), 'NoSuchEntityException', 404, noGroup],
        [() => iam.removeUserFromGroup({ GroupName, UserName }), 'NoSuchEntityException', 404, /is not in the group/],
        [() => iam.listGroupsForUser(absent), 'NoSuchEntityException', 404, none],
        [
          () => iam.putUserPolicy({ ...absent, PolicyName: 'p', PolicyDocument: policy() }),
          'NoSuchEntityException',
          404,
          none,
        ],
        [
          () => iam.putUserPolicy({ UserName, PolicyName: 'p', PolicyDocument: '{' }),
          'MalformedPolicyDocumentException',
          400,
          'Syntax errors in policy.',
        ],
        [
          () => iam.putUserPolicy({ UserName, PolicyName: 'p', PolicyDocument: large }),
          'LimitExceededException',
          409,
          `Maximum policy size of 2048 bytes exceeded for user ${UserName}`,
        ],
        [
          () => iam.putGroupPolicy({ GroupName, PolicyName: 'p', PolicyDocument: large }),
          'LimitExceededException',
          409,
          `Maximum policy size of 5120 bytes exceeded for group ${GroupName}`,
        ],
        [
          () => iam.getUserPolicy({ UserName, PolicyName: 'p' }),
          'NoSuchEntityException',
          404,
          'The user policy with name p cannot be found.',
        ],
        [
          () => iam.deleteUserPolicy({ UserName, PolicyName: 'p' }),
          'NoSuchEntityException',
          404,
          'The user policy with name p cannot be found.',
        ],
        [() => iam.deleteGroupPolicy({ ...absent, PolicyName: 'p' }), 'NoSuchEntityException', 404, noGroup],
        [() => iam.listUserPolicies(absent), 'NoSuchEntityException', 404, none],
        [() => iam.listGroupPolicies(absent), 'NoSuchEntityException', 404, noGroup],
        [
          () => iam.attachUserPolicy({ UserName, PolicyArn }),
          'NoSuchEntityException',
          404,
          `Policy ${PolicyArn} does not exist or is not attachable.`,
        ],
        [
          () => iam.attachUserPolicy({ UserName, PolicyArn: 'arn:aws:ecr:::no-policy' }),
          'InvalidInputException',
          400,
          'ARN arn:aws:ecr:::no-policy is not valid.',
        ],
        [() => iam.attachGroupPolicy({ ...absent, PolicyArn: readOnly }), 'NoSuchEntityException', 404, noGroup],
        [() => iam.listAttachedUserPolicies(absent), 'NoSuchEntityException', 404, none],
        [
          () => iam.putUserPermissionsBoundary({ UserName, PermissionsBoundary: PolicyArn }),
          'NoSuchEntityException',
          404,
          /^Scope ARN/,
        ],
        [() => iam.deleteUserPermissionsBoundary(absent), 'NoSuchEntityException', 404, none],
        [() => iam.getLoginProfile(absent), 'NoSuchEntityException', 404, none],
        [() => iam.listMFADevices(absent), 'NoSuchEntityException', 404, none],
        [
          () => iam.listUsers({ MaxItems: 1_001 }),
          'ValidationError',
          400,
          /^1 validation error detected: Value '1001' at 'maxItems'/,
        ],
      ]
      for (const [call, name, status, message] of cases) {
        const refused = await refusalOf(call())
        assert.deepEqual({ name: refused.name, status: refused.status }, { name, status }, refused.message)
        if (typeof message === 'string') assert.equal(refused.message, message)
        else assert.match(refused.message, message)
      }
    })

    test('a document that is no policy is refused in IAM’s words', async () => {
      const UserName = await user()
      const statement = { Effect: 'Allow', Action: 'ecr:*', Resource: '*' }
      const document = (changed: object) =>
        JSON.stringify({ Version: '2012-10-17', Statement: { ...statement, ...changed } })
      for (const [PolicyDocument, message] of [
        ['[]', 'Syntax errors in policy.'],
        [document({ Effect: 'Maybe' }), 'Syntax errors in policy. See Statement[0].Effect.'],
        [document({ Action: undefined }), 'Policy statement must contain actions.'],
        [document({ Resource: undefined }), 'Policy statement must contain resources.'],
        [document({ Resource: 'all' }), 'Resource all must be in ARN format or "*".'],
        [
          document({ Action: 'PutImage' }),
          'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
        ],
        [document({ Action: 'a:b:c' }), 'Actions/Condition can contain only one colon.'],
        [document({ Action: 'a a:b' }), 'Vendor a a is not valid'],
        [document({ Principal: '*' }), 'Policy document should not specify a principal.'],
        [document({ Sid: 'a b' }), /^Statement IDs \(SID\) must be alpha-numeric/],
      ] as const) {
        const refused = await refusalOf(iam.putUserPolicy({ UserName, PolicyName: 'p', PolicyDocument }))
        assert.equal(refused.name, 'MalformedPolicyDocumentException')
        if (typeof message === 'string') assert.equal(refused.message, message)
        else assert.match(refused.message, message)
      }
    })

    test('a user or a group that has anything is not deleted', async () => {
      const UserName = await user()
      const GroupName = await group()
      await iam.addUserToGroup({ UserName, GroupName })
      for (const call of [() => iam.deleteUser({ UserName }), () => iam.deleteGroup({ GroupName })]) {
        assert.deepEqual(await refusalOf(call()), {
          name: 'DeleteConflictException',
          message: 'Cannot delete entity, must remove users from group first.',
          status: 409,
        })
      }
    })
  })
})
