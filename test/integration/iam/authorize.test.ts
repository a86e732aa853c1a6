/** Authorization over what is stored: which policies count for whom, and from when on. How they combine is `test/unit/iam/policy`. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AccessRequest, createAuthorizer, requireAllowed } from '#iam/authorize.ts'
import { createCompiler } from '#iam/compiled.ts'
import { createIdentityPolicies } from '#iam/identity-policies.ts'
import { type Principal, rootPrincipal } from '#iam/principal.ts'
import type { Refusal } from '#lib/refusal.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { createResourceSide } from '#registry/resource-side.ts'
import { eachDatabase } from '#test/support/databases.ts'

const account = parseAccountId('111111111111')
const other = parseAccountId('222222222222')
const region = parseRegion('us-east-1')
const registry = { account, region }
const own = 'arn:aws:ecr:us-east-1:111111111111:repository/team/app'
const foreign = 'arn:aws:ecr:us-east-1:222222222222:repository/team/app'

const root = rootPrincipal(account, { accessKeyId: 'AKIAROOT', accessKeySince: 0 })
const user: Principal = {
  ...{ account, kind: 'user', arn: `arn:aws:iam::${account}:user/ci`, userId: 'AIDACI', name: 'ci' },
  ...{ identityArn: `arn:aws:iam::${account}:user/ci`, identityId: 'AIDACI', tags: { team: 'blue' } },
  ...{ accessKeyId: 'AKIACI', accessKeySince: 0 },
}
const stranger: Principal = {
  ...user,
  account: other,
  arn: `arn:aws:iam::${other}:user/ci`,
  identityArn: `arn:aws:iam::${other}:user/ci`,
  identityId: 'AIDAOTHER',
}
const allow = (actions: string, resource = '*', more: object = {}) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: resource, ...more }],
  })

async function startOver(metadata: Metadata) {
  await metadata.transaction(async (trx) => {
    for (const id of [account, other]) await trx.insertInto('account').values({ id, created_at: 0 }).execute()
    await trx
      .insertInto('iam_group')
      .values({ id: 'AGPAOPS', account, name: 'ops', name_key: 'ops', path: '/', created_at: 0 })
      .execute()
    for (const { identityId: id, account } of [user, stranger]) {
      await trx
        .insertInto('iam_user')
        .values({ id, account, name: 'ci', name_key: 'ci', path: '/', created_at: 0, boundary_arn: null, tags: '{}' })
        .execute()
    }
  })
  const compile = createCompiler()
  const { decide } = createAuthorizer({
    metadata,
    identityPolicies: createIdentityPolicies({ metadata, compile, awsManaged: (arn) => managed.get(arn) }),
    resourceSide: createResourceSide({ metadata, compile }),
  })
  return {
    async verdict(principal: Principal, action: string, resource: string, more: Partial<AccessRequest> = {}) {
      const circumstances = { sourceIp: '10.0.0.1', secure: false, userAgent: undefined, region, now: 0 }
      return (await decide({ principal, action, resource, registry, circumstances, ...more })).verdict
    },
    decide,
    inline: (owner_id: string, document: string) =>
      metadata.transaction(async (trx) => {
        await trx.insertInto('inline_policy').values({ owner_id, name: 'p', document }).execute()
      }),
    attach: (owner_id: string, policy_arn: string) =>
      metadata.transaction(async (trx) => {
        await trx.insertInto('policy_attachment').values({ owner_id, policy_arn, attached_at: 0 }).execute()
      }),
    detachAll: () =>
      metadata.transaction(async (trx) => {
        await trx.deleteFrom('inline_policy').execute()
        await trx.deleteFrom('policy_attachment').execute()
      }),
    policy: (document: string) =>
      metadata.transaction(async (trx) => {
        const { id } = await trx
          .insertInto('repository')
          .values({
            ...{ account, region, name: 'team/app', created_at: 0, tag_mutability: 'MUTABLE' },
            ...{ tag_mutability_exclusions: '[]', scan_on_push: 0, encryption_type: 'AES256', kms_key: null },
            resource_tags: '{"Env":"prod"}',
          })
          .returning('id')
          .executeTakeFirstOrThrow()
        await trx.insertInto('repository_policy').values({ repository_id: id, document }).execute()
      }),
  }
}

const managed = new Map([['arn:aws:iam::aws:policy/Pull', allow('ecr:BatchGetImage')]])

eachDatabase((databases) =>
  describe(`authorization on ${databases.dialect}`, () => {
    test('root may act on what its account owns, in any region, and on *', async (t) => {
      const { verdict } = await startOver(await databases.open(t))
      for (const resource of [own, own.replace('us-east-1', 'eu-west-3'), own.replace('team/app', '*'), '*']) {
        assert.deepEqual(await verdict(root, 'ecr:PutImage', resource), { allowed: true, statements: [] })
      }
      assert.deepEqual(await verdict(root, 'ecr:BatchGetImage', foreign), {
        ...{ allowed: false, reason: 'no allow', type: 'resource-based policy' },
      })
    })

    test('a user may do what its own policy, its group’s or a managed one allows, from that moment and no longer', async (t) => {
      const { verdict, inline, attach, detachAll } = await startOver(await databases.open(t))
      const pull = async () => (await verdict(user, 'ecr:BatchGetImage', own)).allowed
      const denied = { allowed: false, reason: 'no allow', type: 'identity-based policy' }
      assert.deepEqual(await verdict(user, 'ecr:BatchGetImage', own), denied)
      await inline(user.identityId, allow('ecr:Batch*'))
      assert.equal(await pull(), true)
      await detachAll()
      assert.equal(await pull(), false)
      await attach(user.identityId, 'arn:aws:iam::aws:policy/Pull')
      assert.equal(await pull(), true)
      assert.deepEqual(await verdict(user, 'ecr:PutImage', own), denied)
      await detachAll()
      await inline('AGPAOPS', allow('ecr:*'))
      assert.equal(await pull(), false, 'not in the group')
    })

    test('what a policy asks of the request is asked each time', async (t) => {
      const { verdict, inline } = await startOver(await databases.open(t))
      await inline(user.identityId, allow('ecr:*', '*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }))
      const circumstances = { sourceIp: '192.0.2.1', secure: false, userAgent: undefined, region, now: 0 }
      assert.equal((await verdict(user, 'ecr:PutImage', own)).allowed, true)
      assert.equal((await verdict(user, 'ecr:PutImage', own, { circumstances })).allowed, false)
    })

    test('tags of the principal and of the repository count, and so do keys of the operation', async (t) => {
      const { verdict, inline, policy } = await startOver(await databases.open(t))
      await policy(JSON.stringify({ Statement: [{ Effect: 'Deny', Principal: '*', Action: 'ecr:DeleteRepository' }] }))
      const Condition = {
        StringEquals: { 'ecr:ResourceTag/Env': 'prod', 'aws:PrincipalTag/team': 'blue', 'ecr:AccountSetting': 'X' },
      }
      await inline(user.identityId, allow('ecr:*', '*', { Condition }))
      const conditions = [['ecr:AccountSetting', 'X']] as const
      assert.equal((await verdict(user, 'ecr:PutImage', own, { conditions })).allowed, true)
      assert.equal((await verdict(user, 'ecr:PutImage', own)).allowed, false)
      assert.equal((await verdict(user, 'ecr:PutImage', `${own}2`, { conditions })).allowed, false)
      const { allowed, ...why } = await verdict(root, 'ecr:DeleteRepository', own)
      assert.deepEqual(why, {
        ...{ reason: 'explicit deny', type: 'resource-based policy' },
        statement: { type: 'resource-based policy', policy: 'repository policy of team/app', index: 0, sid: undefined },
      })
    })

    test('across accounts both sides must allow', async (t) => {
      const { verdict, inline, policy } = await startOver(await databases.open(t))
      const pull = () => verdict(stranger, 'ecr:BatchGetImage', own)
      assert.deepEqual(await pull(), { allowed: false, reason: 'no allow', type: 'resource-based policy' })
      await policy(
        JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { AWS: other }, Action: 'ecr:BatchGetImage' }] }),
      )
      assert.deepEqual(await pull(), { allowed: false, reason: 'no allow', type: 'identity-based policy' })
      await inline(stranger.identityId, allow('ecr:BatchGetImage', own))
      assert.equal((await pull()).allowed, true)
    })

    test('a boundary that is not there bounds everything', async (t) => {
      const { verdict, inline } = await startOver(await databases.open(t))
      await inline(user.identityId, allow('ecr:*'))
      const bounded = { ...user, boundaryArn: 'arn:aws:iam::111111111111:policy/gone' }
      assert.deepEqual(await verdict(bounded, 'ecr:PutImage', own), {
        ...{ allowed: false, reason: 'no allow', type: 'permissions boundary' },
      })
    })

    test('no policy of a resource grants an authorization token', async (t) => {
      const { verdict, inline } = await startOver(await databases.open(t))
      assert.equal((await verdict(user, 'ecr:GetAuthorizationToken', '*')).allowed, false)
      await inline(user.identityId, allow('ecr:GetAuthorizationToken'))
      assert.equal((await verdict(user, 'ecr:GetAuthorizationToken', '*')).allowed, true)
    })

    test('what is not allowed is refused with the facts of the decision', async (t) => {
      const { decide } = await startOver(await databases.open(t))
      const circumstances = { sourceIp: '10.0.0.1', secure: false, userAgent: undefined, region, now: 0 }
      const ask = async (resource: string) =>
        requireAllowed(
          await decide({ principal: root, action: 'ecr:BatchGetImage', resource, registry, circumstances }),
        )
      await ask(own)
      await assert.rejects(ask(foreign), (error: Refusal) => {
        assert.equal(error.code, 'AccessDenied')
        const verdict = { allowed: false, reason: 'no allow', type: 'resource-based policy' }
        const question = { principalArn: root.arn, action: 'ecr:BatchGetImage', resource: foreign }
        assert.deepEqual(error.facts, { ...question, verdict })
        return true
      })
    })
  }),
)
