/** What the operations on users and groups ask permission for, before anything about them is told. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ensureAccount } from '#iam/accounts.ts'
import { createManagement } from '#iam/management.ts'
import type { Principal } from '#iam/principal.ts'
import { iamOperations } from '#iamapi/operations.ts'
import { Refusal } from '#lib/refusal.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { rootArn } from '#names/arn.ts'
import { parseRegion } from '#names/region.ts'
import { sqliteUrl } from '#test/support/databases.ts'

const account = parseAccountId('111122223333')
const registry = { account, region: parseRegion('us-east-1') }
const arn = (rest: string) => `arn:aws:iam::${account}:${rest}`
const root = principal(rootArn(account))
const ann = principal(arn('user/team/Ann'))
const session = principal(`arn:aws:sts::${account}:assumed-role/ci/run`)

const metadata = await openMetadata(await sqliteUrl(), () => {})
after(() => metadata.close())
await metadata.transaction((trx) => ensureAccount(trx, account, 1))
const management = createManagement({
  reader: metadata.reader,
  change: (work) => metadata.transaction(work),
  clock: () => 1_700_000_000_000,
  principalChanged: [],
  box: { seal: (text) => text },
})
const unasked = () => assert.fail('only resources are asked for')
const operations = iamOperations({ ...management, findPrincipal: unasked, explain: unasked })
await management.users.create(account, { name: 'Ann', path: '/team/', tags: [], boundaryArn: undefined })
await management.groups.create(account, { name: 'Devs', path: '/team/' })
const annsKey = await management.keys.create({ account, user: 'Ann' })
const rootKey = await management.keys.create({ account, user: undefined })

/** As much of one as these operations look at. */
function principal(arn: string): Principal {
  return { account, arn, userId: 'x' } as Principal
}

type Name = keyof typeof operations

/** As the dispatcher asks it; the input is what the operation's reader would give. */
async function resourcesOf(name: Name, input: object, caller: Principal = root): Promise<readonly string[] | string> {
  const { resource } = operations[name] as { resource: (request: object) => Promise<string | string[]> }
  try {
    return [await resource({ input, registry, principal: caller })].flat()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

test('a user and a group are named with their path, and without one where nobody has the name', async () => {
  for (const name of [
    'GetUser',
    'DeleteUser',
    'TagUser',
    'CreateAccessKey',
    'PutUserPolicy',
    'AttachUserPolicy',
  ] as const) {
    assert.deepEqual(await resourcesOf(name, { UserName: 'ANN' }), [arn('user/team/Ann')], name)
    assert.deepEqual(await resourcesOf(name, { UserName: 'none' }), [arn('user/none')], name)
  }
  for (const name of ['GetGroup', 'AddUserToGroup', 'ListGroupPolicies', 'DetachGroupPolicy'] as const) {
    assert.deepEqual(await resourcesOf(name, { GroupName: 'devs', UserName: 'x' }), [arn('group/team/Devs')], name)
    assert.deepEqual(await resourcesOf(name, { GroupName: 'none', UserName: 'x' }), [arn('group/none')], name)
  }
})

test('what is created is named as it will be, and what is listed by the path', async () => {
  assert.deepEqual(await resourcesOf('CreateUser', { UserName: 'bob', Path: '/a/b/' }), [arn('user/a/b/bob')])
  assert.deepEqual(await resourcesOf('CreateGroup', { GroupName: 'ops' }), [arn('group/ops')])
  assert.deepEqual(await resourcesOf('ListUsers', {}), [arn('user/')])
  assert.deepEqual(await resourcesOf('ListGroups', { PathPrefix: '/team/' }), [arn('group/team/')])
  assert.deepEqual(await resourcesOf('GetAccountSummary', {}), ['*'])
})

test('a rename or a move needs permission on what there is and on what there will be', async () => {
  assert.deepEqual(await resourcesOf('UpdateUser', { UserName: 'ann', NewUserName: 'eve' }), [
    arn('user/team/Ann'),
    arn('user/team/eve'),
  ])
  assert.deepEqual(await resourcesOf('UpdateUser', { UserName: 'ann', NewPath: '/' }), [
    arn('user/team/Ann'),
    arn('user/Ann'),
  ])
  assert.deepEqual(await resourcesOf('UpdateGroup', { GroupName: 'Devs', NewGroupName: 'ops', NewPath: '/x/' }), [
    arn('group/team/Devs'),
    arn('group/x/ops'),
  ])
})

test('who names no user means itself, and must be a user or the root', async () => {
  for (const name of ['GetUser', 'CreateAccessKey', 'ListAccessKeys', 'ListMFADevices', 'GetLoginProfile'] as const) {
    assert.deepEqual(await resourcesOf(name, {}, ann), [arn('user/team/Ann')], name)
    assert.deepEqual(await resourcesOf(name, {}, root), [rootArn(account)], name)
    assert.equal(await resourcesOf(name, {}, session), 'CallerIsNoUser', name)
  }
  assert.deepEqual(await resourcesOf('GetUser', { UserName: 'Ann' }, session), [arn('user/team/Ann')])
})

test('a key is looked at with permission on its owner, and one that is not there with none', async () => {
  const use = (AccessKeyId: string, caller = root) => resourcesOf('GetAccessKeyLastUsed', { AccessKeyId }, caller)
  assert.deepEqual(await use(annsKey.id), [arn('user/team/Ann')])
  assert.deepEqual(await use(rootKey.id), [rootArn(account)])
  assert.equal(await use('AKIAABSENTABSENTABSE'), 'KeyHidden')
  const other = { ...root, account: parseAccountId('444455556666') }
  assert.equal(await use(annsKey.id, other), 'KeyHidden')
})

test('conditions see tags, boundaries and the policies that are attached', () => {
  const conditionsOf = (
    name: 'CreateUser' | 'UntagUser' | 'AttachUserPolicy' | 'PutUserPermissionsBoundary',
    input: object,
  ) => {
    const { conditions } = operations[name] as { conditions: (request: object) => Iterable<unknown> }
    return [...conditions({ input, registry, principal: root })]
  }
  const Tags = [
    { Key: 'team', Value: 'a' },
    { Key: 'env', Value: '' },
  ]
  assert.deepEqual(conditionsOf('CreateUser', { UserName: 'x', Tags, PermissionsBoundary: 'b' }), [
    ['aws:RequestTag/team', 'a'],
    ['aws:RequestTag/env', ''],
    ['aws:TagKeys', ['team', 'env']],
    ['iam:PermissionsBoundary', 'b'],
  ])
  assert.deepEqual(conditionsOf('CreateUser', { UserName: 'x' }), [])
  assert.deepEqual(conditionsOf('UntagUser', { TagKeys: ['team'] }), [['aws:TagKeys', ['team']]])
  assert.deepEqual(conditionsOf('AttachUserPolicy', { PolicyArn: 'p' }), [['iam:PolicyARN', 'p']])
  assert.deepEqual(conditionsOf('PutUserPermissionsBoundary', { PermissionsBoundary: 'b' }), [
    ['iam:PermissionsBoundary', 'b'],
  ])
})
