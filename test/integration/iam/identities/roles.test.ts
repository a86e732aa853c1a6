import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ensureAccount } from '#iam/accounts.ts'
import { createRoles, type NewRole } from '#iam/identities/roles.ts'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'

const account = parseAccountId('111111111111')
const other = parseAccountId('222222222222')

function trusting(AWS: string) {
  const Statement = { Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

const role: NewRole = {
  ...{ name: 'Deploy', path: '/ci/', description: undefined, trustPolicy: trusting(account) },
  ...{ maxSessionSeconds: 3_600, boundaryArn: undefined, tags: [] },
}

async function world(t: TestContext, databases: Databases) {
  const metadata = await databases.open(t)
  for (const each of [account, other]) await metadata.transaction((trx) => ensureAccount(trx, each, 0))
  const roles = createRoles({
    reader: metadata.reader,
    change: metadata.transaction.bind(metadata),
    clock: () => 1_000,
    principalChanged: [],
  })
  return { metadata, roles }
}

function refused(code: string, facts: object) {
  return (error: unknown) => {
    assert.ok(error instanceof Refusal, String(error))
    assert.deepEqual([error.code, error.facts], [code, facts])
    return true
  }
}

eachDatabase((databases) => {
  describe(`roles, ${databases.dialect}`, () => {
    test('a role is found by its name in any case, in its account alone', async (t) => {
      const { roles } = await world(t, databases)
      const created = await roles.create(account, { ...role, tags: [{ key: 'team', value: 'x' }] })
      assert.equal(created.arn, `arn:aws:iam::${account}:role/ci/Deploy`)
      assert.match(created.id, /^AROA[A-Z2-7]{16}$/)
      assert.deepEqual(await roles.get(account, 'dEPLOY'), created)
      await assert.rejects(roles.get(other, 'Deploy'), refused('EntityNotFound', { kind: 'role', name: 'Deploy' }))
      const again = { ...role, name: 'DEPLOY', path: '/' }
      await assert.rejects(roles.create(account, again), refused('EntityExists', { kind: 'role', name: 'DEPLOY' }))
    })

    test('roles may come to trust one another at once', async (t) => {
      const { roles } = await world(t, databases)
      for (const name of ['one', 'two']) await roles.create(account, { ...role, name, path: '/' })
      const arnOf = (name: string) => `arn:aws:iam::${account}:role/${name}`
      const trust = (name: string, other: string) => roles.putTrustPolicy(account, name, trusting(arnOf(other)))
      await Promise.all(Array.from({ length: 10 }, () => [trust('one', 'two'), trust('two', 'one')]).flat())
    })

    test('what is not named in an update stays as it is', async (t) => {
      const { roles } = await world(t, databases)
      const created = await roles.create(account, role)
      await roles.update(account, 'Deploy', {})
      await roles.update(account, 'Deploy', { description: 'deploys' })
      await roles.update(account, 'Deploy', { maxSessionSeconds: 7_200 })
      await roles.addTags(account, 'Deploy', [{ key: 'a', value: '1' }])
      await roles.removeTags(account, 'Deploy', ['b'])
      await roles.putTrustPolicy(account, 'Deploy', trusting(other))
      assert.deepEqual(await roles.get(account, 'Deploy'), {
        ...created,
        ...{ description: 'deploys', maxSessionSeconds: 7_200, tags: { a: '1' }, trustPolicy: trusting(other) },
      })
    })

    test('a page goes on where the last one ended, below a path', async (t) => {
      const { roles } = await world(t, databases)
      for (const name of ['b', 'A', 'c']) await roles.create(account, { ...role, name })
      await roles.create(account, { ...role, name: 'aa', path: '/' })
      const first = await roles.list(account, { pathPrefix: '/ci/', limit: 2 })
      const second = await roles.list(account, { pathPrefix: '/ci/', limit: 2, after: first.next })
      const names = [...first.items, ...second.items].map(({ name }) => name)
      assert.deepEqual([names, second.next], [['A', 'b', 'c'], undefined])
    })

    test('a role goes when it has no policy left', async (t) => {
      const { metadata, roles } = await world(t, databases)
      const { id: owner_id } = await roles.create(account, role)
      await metadata.transaction(async (trx) => {
        await trx.insertInto('inline_policy').values({ owner_id, name: 'x', document: '{}' }).execute()
        await trx.insertInto('policy_attachment').values({ owner_id, policy_arn: 'x', attached_at: 0 }).execute()
      })
      await assert.rejects(roles.delete(account, 'Deploy'), refused('EntityInUse', { by: 'attached policies' }))
      await metadata.transaction((trx) => trx.deleteFrom('policy_attachment').execute())
      await assert.rejects(roles.delete(account, 'Deploy'), refused('EntityInUse', { by: 'inline policies' }))
      await metadata.transaction((trx) => trx.deleteFrom('inline_policy').execute())
      await roles.delete(account, 'Deploy')
      await assert.rejects(roles.get(account, 'Deploy'), refused('EntityNotFound', { kind: 'role', name: 'Deploy' }))
    })

    test('whom a trust policy names has to exist', async (t) => {
      const { metadata, roles } = await world(t, databases)
      const user = { account: other, name: 'Ann', name_key: 'ann', path: '/dev/', created_at: 0, tags: '{}' }
      await metadata.transaction((trx) =>
        trx
          .insertInto('iam_user')
          .values({ ...user, id: 'AIDA1', boundary_arn: null })
          .execute(),
      )
      await roles.create(account, role)
      const iam = (rest: string, of = other) => `arn:aws:iam::${of}:${rest}`
      const session = (name: string) => `arn:aws:sts::${account}:assumed-role/${name}/s`
      for (const good of [
        '*',
        other,
        iam('root'),
        iam('user/dev/Ann'),
        iam('role/ci/Deploy', account),
        session('Deploy'),
      ]) {
        await roles.putTrustPolicy(account, 'Deploy', trusting(good))
      }
      const unknown = [iam('root', parseAccountId('333333333333')), iam('user/Ann'), iam('user/dev/ann'), iam('role/x')]
      for (const principal of [...unknown, session('x')]) {
        await assert.rejects(
          roles.putTrustPolicy(account, 'Deploy', trusting(principal)),
          refused('TrustedPrincipalUnknown', { principal }),
        )
      }
      const federated = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'ecr.amazonaws.com' }, Action: 'sts:AssumeRole' },
          {
            Effect: 'Allow',
            Principal: { Federated: iam('oidc-provider/a.example') },
            Action: 'sts:AssumeRoleWithWebIdentity',
          },
        ],
      })
      await roles.putTrustPolicy(account, 'Deploy', federated)
      assert.equal((await roles.get(account, 'Deploy')).trustPolicy, federated)
    })

    test('a trust policy of more than 2,048 characters, white space aside, is refused, and what is none', async (t) => {
      const { roles } = await world(t, databases)
      const long = JSON.stringify({ ...JSON.parse(trusting(account)), Id: 'x'.repeat(2_048) })
      await assert.rejects(
        roles.create(account, { ...role, trustPolicy: long }),
        refused('EntityQuotaExceeded', { quota: 'trust policy size', limit: 2_048 }),
      )
      await assert.rejects(roles.create(account, { ...role, trustPolicy: '{}' }), (e) => e instanceof Refusal)
      await roles.create(account, { ...role, trustPolicy: JSON.stringify(JSON.parse(trusting(account)), null, 100) })
    })

    test('a boundary is a managed policy that exists', async (t) => {
      const { roles } = await world(t, databases)
      const arn = `arn:aws:iam::${account}:policy/x`
      await assert.rejects(roles.create(account, { ...role, boundaryArn: arn }), refused('BoundaryUnknown', { arn }))
      const aws = 'arn:aws:iam::aws:policy/AdministratorAccess'
      assert.equal((await roles.create(account, { ...role, boundaryArn: aws })).boundaryArn, aws)
    })
  })
})
