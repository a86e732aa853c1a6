import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ensureAccount } from '#iam/accounts.ts'
import { awsManagedPolicies } from '#iam/policies/aws-managed.ts'
import { createManagedPolicies } from '#iam/policies/managed.ts'
import { findManagedPolicy, findPolicyDocument, lockManagedPolicy } from '#iam/policies/managed-policy.ts'
import { listOwners, usageOf } from '#iam/policies/usage.ts'
import { createPolicyVersions } from '#iam/policies/versions.ts'
import { parsePolicy } from '#iam/policy/document.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'

const account = parseAccountId('111111111111')
const other = parseAccountId('222222222222')
const anything = { owners: ['account', 'aws'], pathPrefix: '/', ways: [] } as const

const allowing = (action: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: action, Resource: '*' } })

async function world(t: TestContext, databases: Databases) {
  const metadata = await databases.open(t)
  for (const each of [account, other]) await metadata.transaction((trx) => ensureAccount(trx, each, 0))
  const { reader } = metadata
  const parts = { reader, change: metadata.transaction.bind(metadata), clock: () => 1_000 }
  const policies = createManagedPolicies(parts)
  const create = (name: string, more: { path?: string; document?: string } = {}) =>
    policies.create(account, {
      ...{ name, path: '/', description: undefined, document: allowing('ecr:*'), tags: [] },
      ...more,
    })
  return { metadata, reader, policies, versions: createPolicyVersions(parts), create }
}

const refused = (code: string, facts: object) => (error: unknown) => {
  assert.ok(error instanceof Refusal)
  assert.deepEqual([error.code, error.facts], [code, facts])
  return true
}

async function insertOwners(trx: Transaction, arn: string): Promise<void> {
  const common = { account, path: '/', created_at: 0, tags: '{}' }
  await trx
    .insertInto('iam_user')
    .values([
      { ...common, id: 'AIDA1', name: 'Ann', name_key: 'ann', boundary_arn: arn },
      { ...common, id: 'AIDA2', name: 'Bob', name_key: 'bob', path: '/dev/', boundary_arn: null },
    ])
    .execute()
  await trx
    .insertInto('iam_group')
    .values({ account, path: '/', created_at: 0, id: 'AGPA1', name: 'Team', name_key: 'team' })
    .execute()
  await trx
    .insertInto('policy_attachment')
    .values(['AIDA1', 'AIDA2', 'AGPA1'].map((owner_id) => ({ owner_id, policy_arn: arn, attached_at: 0 })))
    .execute()
}

test("every policy of AWS's is one that IAM's grammar takes", () => {
  for (const { document } of awsManagedPolicies.values()) parsePolicy(document, 'identity')
})

eachDatabase((databases) => {
  describe(databases.dialect, () => {
    test('a policy is found by its ARN in its own account alone', async (t) => {
      const { create, reader } = await world(t, databases)
      const { arn } = await create('Pull', { path: '/ci/' })
      assert.equal(arn, `arn:aws:iam::${account}:policy/ci/Pull`)
      assert.equal((await findManagedPolicy(reader, account, arn))?.name, 'Pull')
      assert.equal(await findManagedPolicy(reader, other, arn), undefined)
    })

    test('names are unique without regard to case', async (t) => {
      const { create } = await world(t, databases)
      await create('Pull')
      await assert.rejects(create('PULL', { path: '/x/' }), refused('EntityExists', { kind: 'policy', name: 'PULL' }))
    })

    test('a page goes on where the last one ended, and those of AWS come last', async (t) => {
      const { create, policies } = await world(t, databases)
      for (const name of ['A', 'B', 'C']) await create(name)
      const names: string[] = []
      let after: string | undefined
      do {
        const page = await policies.list(account, anything, { limit: 2, after })
        names.push(...page.items.map(({ name }) => name))
        after = page.next
      } while (after !== undefined)
      assert.deepEqual(names, ['A', 'B', 'C', ...[...awsManagedPolicies.values()].map(({ name }) => name)])
      const own = await policies.list(other, { ...anything, owners: ['account'] }, { limit: 10 })
      assert.deepEqual(own.items, [])
    })

    test('the document in force is that of the default version, and at most five are kept', async (t) => {
      const { create, versions, reader } = await world(t, databases)
      const { arn } = await create('P')
      for (const number of [2, 3, 4, 5]) {
        const made = await versions.create(account, arn, allowing(`ecr:V${number}`), { inForce: number === 3 })
        assert.equal(made.number, number)
      }
      assert.equal(await findPolicyDocument(reader, arn), allowing('ecr:V3'))
      await assert.rejects(
        versions.create(account, arn, allowing('ecr:V6'), { inForce: true }),
        refused('EntityQuotaExceeded', { quota: 'policy versions', limit: 5 }),
      )
      await assert.rejects(versions.delete(account, arn, 3), refused('EntityInUse', { by: 'default version' }))
      await versions.delete(account, arn, 5)
      const made = await versions.create(account, arn, allowing('ecr:V6'), { inForce: false })
      assert.equal(made.number, 6, 'a number is never given twice')
      await versions.putInForce(account, arn, 1)
      const { items, next } = await versions.list(account, arn, { limit: 2 })
      assert.deepEqual([items.map(({ number }) => number), next], [[6, 4], 4])
      assert.equal((await versions.get(account, arn, 1)).inForce, true)
    })

    test('a policy is deleted when nobody has it and one version is left', async (t) => {
      const { create, versions, policies, metadata, reader } = await world(t, databases)
      const { arn } = await create('P')
      await metadata.transaction((trx) => insertOwners(trx, arn))
      await versions.create(account, arn, allowing('ecr:*'), { inForce: true })
      await assert.rejects(policies.delete(account, arn), refused('EntityInUse', { by: 'attachments' }))
      await metadata.transaction((trx) => trx.deleteFrom('policy_attachment').execute())
      await assert.rejects(policies.delete(account, arn), refused('EntityInUse', { by: 'attachments' }))
      await metadata.transaction((trx) => trx.updateTable('iam_user').set({ boundary_arn: null }).execute())
      await assert.rejects(policies.delete(account, arn), refused('EntityInUse', { by: 'versions' }))
      await versions.delete(account, arn, 1)
      await policies.delete(account, arn)
      assert.equal(await findManagedPolicy(reader, account, arn), undefined)
    })

    test('who has a policy is counted and listed by account, kind and path', async (t) => {
      const { create, policies, metadata, reader } = await world(t, databases)
      const { arn } = await create('P')
      await create('Unused')
      await metadata.transaction((trx) => insertOwners(trx, arn))
      assert.deepEqual([...(await usageOf(reader, account, [arn]))], [[arn, { attachments: 3, boundaries: 1 }]])
      assert.equal((await usageOf(reader, other, [arn])).size, 0)
      const used = await policies.list(account, { ...anything, ways: ['attachments'] }, { limit: 10 })
      assert.deepEqual(
        used.items.map(({ name }) => name),
        ['P'],
      )
      const all = { kinds: ['group', 'role', 'user'], ways: ['attachments', 'boundaries'], pathPrefix: '/' } as const
      const first = await listOwners(reader, account, arn, { ...all, limit: 2 })
      const second = await listOwners(reader, account, arn, { ...all, limit: 2, after: first.next })
      assert.deepEqual(
        [...first.items, ...second.items].map(({ name }) => name),
        ['Team', 'Ann', 'Bob'],
      )
      const dev = await listOwners(reader, account, arn, { ...all, pathPrefix: '/dev/', limit: 2 })
      assert.deepEqual(
        dev.items.map(({ name }) => name),
        ['Bob'],
      )
    })

    test('nobody changes a policy of AWS, and everybody may attach it', async (t) => {
      const { policies, versions, metadata } = await world(t, databases)
      const arn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly'
      await assert.rejects(policies.delete(account, arn), refused('EntityUnmodifiable', { arn }))
      await assert.rejects(versions.putInForce(account, arn, 1), refused('EntityUnmodifiable', { arn }))
      const policy = await metadata.transaction((trx) => lockManagedPolicy(trx, account, arn))
      assert.equal(policy.owner, 'aws')
    })

    test('a document that is no policy, or too long, makes no policy', async (t) => {
      const { create } = await world(t, databases)
      await assert.rejects(create('P', { document: '{}' }), (error) => (error as Refusal).code === 'PolicyMalformed')
      await assert.rejects(
        create('P', { document: allowing(`ecr:${'x'.repeat(6_144)}`) }),
        refused('EntityQuotaExceeded', { quota: 'managed policy size', limit: 6_144 }),
      )
      await create('P', { document: `${allowing('ecr:*')}${' '.repeat(10_000)}` })
    })
  })
})
