/** Users, groups, their keys and their policies, on both databases. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { ensureAccount } from '#iam/accounts.ts'
import { createGroups } from '#iam/identities/groups.ts'
import { createUsers } from '#iam/identities/users.ts'
import { createManagedKeys } from '#iam/keys/access-keys.ts'
import { createAttachments } from '#iam/policies/attachments.ts'
import { createBoundaries } from '#iam/policies/boundaries.ts'
import { createInlinePolicies } from '#iam/policies/inline.ts'
import { createManagedPolicies } from '#iam/policies/managed.ts'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'

const account = parseAccountId('111122223333')
const other = parseAccountId('444455556666')
const allow = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecr:*","Resource":"*"}}'
const readOnly = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'

async function world(databases: Databases, t: TestContext) {
  const metadata = await databases.open(t)
  await metadata.transaction(async (trx) => {
    for (const id of [account, other]) await ensureAccount(trx, id, 1)
  })
  // Connections to race on, since making one takes longer than a transaction.
  await Promise.all(
    [1, 2, 3, 4].map(() => metadata.transaction((trx) => trx.selectFrom('account').select('id').execute())),
  )
  let now = 1_700_000_000_000
  const change = metadata.transaction.bind(metadata)
  const parts = {
    reader: metadata.reader,
    change,
    clock: () => now++,
    principalChanged: [],
    box: { seal: (text: string) => `sealed ${text}` },
  }
  const users = createUsers(parts)
  return {
    metadata,
    users,
    groups: createGroups(parts),
    keys: createManagedKeys(parts),
    inline: createInlinePolicies(parts),
    attachments: createAttachments(parts),
    boundaries: createBoundaries(parts),
    policies: createManagedPolicies(parts),
    user: (name: string, path = '/') => users.create(account, { name, path, tags: [], boundaryArn: undefined }),
  }
}

async function refused(work: Promise<unknown>): Promise<string> {
  const [outcome] = await Promise.allSettled([work])
  if (outcome.status === 'fulfilled') return 'done'
  if (!(outcome.reason instanceof Refusal)) throw outcome.reason
  return `${outcome.reason.code} ${JSON.stringify(outcome.reason.facts)}`
}

const ref = (kind: 'user' | 'group', name: string) => ({ account, kind, name })

eachDatabase((databases) => {
  suite(`identities on ${databases.dialect}`, () => {
    test('names are unique in their account without regard to case, however many ask at once', async (t) => {
      const { users, groups, user } = await world(databases, t)
      const outcomes = await Promise.all(['Ann', 'ann', 'ANN', 'aNN'].map((name) => refused(user(name))))
      assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 1, String(outcomes))
      assert.match((await users.get(account, 'aNn')).id, /^AIDA[A-Z2-7]{16}$/)
      await groups.create(account, { name: 'Ann', path: '/' })
      await users.create(other, { name: 'ann', path: '/', tags: [], boundaryArn: undefined })
      assert.equal(
        await refused(groups.create(account, { name: 'anN', path: '/' })),
        'EntityExists {"kind":"group","name":"anN"}',
      )
    })

    test('a user keeps its id and all that it has when it is renamed or moved', async (t) => {
      const { users, inline, user } = await world(databases, t)
      const ann = await user('ann')
      await user('bob')
      await inline.put(ref('user', 'ann'), 'p', allow)
      assert.equal(
        await refused(users.update(account, 'ann', { name: 'BOB', path: undefined })),
        'EntityExists {"kind":"user","name":"BOB"}',
      )
      await users.update(account, 'ann', { name: 'ANN', path: undefined })
      await users.update(account, 'ann', { name: 'eve', path: '/team/' })
      const eve = await users.get(account, 'eve')
      assert.deepEqual([eve.id, eve.arn], [ann.id, 'arn:aws:iam::111122223333:user/team/eve'])
      assert.equal(await inline.get(ref('user', 'eve'), 'p'), allow)
      assert.equal(await refused(users.get(account, 'ann')), 'EntityNotFound {"kind":"user","name":"ann"}')
    })

    test('renames that race for one name leave it to one', async (t) => {
      const { users, user } = await world(databases, t)
      for (const name of ['a', 'b', 'c']) await user(name)
      const outcomes = await Promise.all(
        ['a', 'b', 'c'].map((name) => refused(users.update(account, name, { name: 'z', path: undefined }))),
      )
      assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 1, String(outcomes))
    })

    test('users are listed by name, a page at a time, from below a path that stands for itself', async (t) => {
      const { users, user } = await world(databases, t)
      for (const name of ['b', 'C', 'a', 'd']) await user(name, '/t_m/')
      await user('e', '/team/')
      const names = []
      let after: string | undefined
      do {
        const page = await users.list(account, { pathPrefix: '/t_', limit: 3, after })
        names.push(...page.items.map(({ name }) => name))
        after = page.next
      } while (after !== undefined)
      assert.deepEqual(names, ['a', 'b', 'C', 'd'])
    })

    test('a user that has anything is not deleted', async (t) => {
      const { users, groups, keys, inline, attachments, user } = await world(databases, t)
      await user('ann')
      const ann = ref('user', 'ann')
      const { id } = await keys.create({ account, user: 'ann' })
      await groups.create(account, { name: 'g', path: '/' })
      await groups.addUser(account, 'g', 'ann')
      await inline.put(ann, 'p', allow)
      await attachments.attach(ann, readOnly)
      const steps: [string, () => Promise<void>][] = [
        ['access keys', () => keys.delete({ account, user: 'ann' }, id)],
        ['group memberships', () => groups.removeUser(account, 'g', 'ann')],
        ['inline policies', () => inline.delete(ann, 'p')],
        ['attached policies', () => attachments.detach(ann, readOnly)],
      ]
      for (const [by, remove] of steps) {
        assert.equal(await refused(users.delete(account, 'ann')), `EntityInUse {"by":"${by}"}`)
        await remove()
      }
      await users.delete(account, 'ann')
      assert.match(await refused(users.delete(account, 'ann')), /^EntityNotFound/)
    })

    test('a group is deleted once it is empty, and its members and their groups are listed', async (t) => {
      const { groups, inline, attachments, user } = await world(databases, t)
      await user('ann')
      await groups.create(account, { name: 'g', path: '/' })
      await groups.addUser(account, 'g', 'ann')
      await groups.addUser(account, 'g', 'ann')
      assert.deepEqual(
        (await groups.listUsers(account, 'g', { limit: 5 })).items.map(({ name }) => name),
        ['ann'],
      )
      assert.deepEqual(
        (await groups.listOfUser(account, 'ann', { limit: 5 })).items.map(({ name }) => name),
        ['g'],
      )
      await inline.put(ref('group', 'g'), 'p', allow)
      await attachments.attach(ref('group', 'g'), readOnly)
      for (const [by, remove] of [
        ['group members', () => groups.removeUser(account, 'g', 'ann')],
        ['inline policies', () => inline.delete(ref('group', 'g'), 'p')],
        ['attached policies', () => attachments.detach(ref('group', 'g'), readOnly)],
      ] as const) {
        assert.equal(await refused(groups.delete(account, 'g')), `EntityInUse {"by":"${by}"}`)
        await remove()
      }
      await groups.delete(account, 'g')
      assert.match(await refused(groups.removeUser(account, 'g', 'ann')), /^EntityNotFound/)
    })

    test('nobody joins a group that is being deleted, nor does a user go who is joining', async (t) => {
      const { metadata, users, groups, user } = await world(databases, t)
      for (let round = 0; round < 5; round++) {
        await user('ann')
        await groups.create(account, { name: 'g', path: '/' })
        await Promise.all([
          refused(groups.addUser(account, 'g', 'ann')),
          refused(groups.delete(account, 'g')),
          refused(users.delete(account, 'ann')),
        ])
        const members = await metadata.reader.selectFrom('iam_group_member').selectAll().execute()
        for (const { group_id, user_id } of members) {
          assert.equal(
            (await metadata.reader.selectFrom('iam_group').select('id').where('id', '=', group_id).execute()).length,
            1,
          )
          assert.equal(
            (await metadata.reader.selectFrom('iam_user').select('id').where('id', '=', user_id).execute()).length,
            1,
          )
        }
        await refused(groups.removeUser(account, 'g', 'ann'))
        await refused(groups.delete(account, 'g'))
        await refused(users.delete(account, 'ann'))
      }
    })

    test('a user is in ten groups at most', async (t) => {
      const { groups, user } = await world(databases, t)
      await user('ann')
      for (let i = 0; i < 11; i++) await groups.create(account, { name: `g${i}`, path: '/' })
      for (let i = 0; i < 10; i++) await groups.addUser(account, `g${i}`, 'ann')
      assert.equal(
        await refused(groups.addUser(account, 'g10', 'ann')),
        'EntityQuotaExceeded {"quota":"groups of a user","limit":10}',
      )
    })

    test('a user and the root have two keys at most, even when requests race', async (t) => {
      const { keys, user } = await world(databases, t)
      await user('ann')
      for (const owner of [
        { account, user: 'ann' },
        { account, user: undefined },
      ]) {
        const outcomes = await Promise.all([1, 2, 3, 4].map(() => refused(keys.create(owner))))
        assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 2, String(outcomes))
        assert.equal((await keys.list(owner, { limit: 9 })).items.length, 2)
      }
    })

    test('a key’s secret is stored sealed, and belongs to one owner, who alone changes it', async (t) => {
      const { metadata, keys, user } = await world(databases, t)
      await user('ann')
      await user('bob')
      const { id, secret } = await keys.create({ account, user: 'ann' })
      const row = await metadata.reader
        .selectFrom('access_key')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      assert.equal(row.secret, `sealed ${secret}`)
      assert.match(id, /^AKIA[A-Z2-7]{16}$/)
      const strangers = [
        { account, user: 'bob' },
        { account, user: undefined },
        { account: other, user: undefined },
      ]
      for (const stranger of strangers) {
        const absent = `EntityNotFound {"kind":"access key","name":"${id}"}`
        assert.equal(await refused(keys.setStatus(stranger, id, 'Inactive')), absent)
        assert.equal(await refused(keys.delete(stranger, id)), absent)
      }
      await keys.setStatus({ account, user: 'ann' }, id, 'Inactive')
      assert.equal((await keys.list({ account, user: 'ann' }, { limit: 9 })).items[0]?.status, 'Inactive')
      assert.deepEqual(await keys.findUse(account, id), { user: 'ann', last: undefined })
      assert.equal(await keys.findUse(other, id), undefined)
      assert.match(await refused(keys.create({ account, user: 'eve' })), /^EntityNotFound {"kind":"user"/)
    })

    test('inline policies have the room that IAM gives them all together, white space aside', async (t) => {
      const { groups, inline, user } = await world(databases, t)
      await user('ann')
      await groups.create(account, { name: 'g', path: '/' })
      const sized = (characters: number) => {
        const [head, tail] = [
          '{"Version":"2012-10-17","Id":"',
          '","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
        ]
        return `${head}${'x'.repeat(characters - head.length - tail.length)}${tail}${' '.repeat(500)}`
      }
      for (const [kind, name, limit] of [
        ['user', 'ann', 2_048],
        ['group', 'g', 5_120],
      ] as const) {
        const owner = ref(kind, name)
        await inline.put(owner, 'a', sized(limit - 500))
        await inline.put(owner, 'a', sized(limit - 400))
        await inline.put(owner, 'b', sized(400))
        assert.equal(
          await refused(inline.put(owner, 'c', allow)),
          `InlinePoliciesTooLarge {"owner":"${kind}","name":"${name}","limit":${limit}}`,
        )
        assert.deepEqual(await inline.list(owner, { limit: 1 }), { items: ['a'], next: 'a' })
        assert.deepEqual(await inline.list(owner, { limit: 1, after: 'a' }), { items: ['b'] })
      }
      assert.match(await refused(inline.put(ref('user', 'ann'), 'a', '{')), /^PolicyMalformed/)
      assert.equal(
        await refused(inline.get(ref('user', 'ann'), 'z')),
        'EntityNotFound {"kind":"user policy","name":"z"}',
      )
      assert.match(await refused(inline.delete(ref('group', 'g'), 'z')), /^EntityNotFound {"kind":"group policy"/)
    })

    test('managed policies are attached once, ten at most, and listed from below a path', async (t) => {
      const { attachments, policies, user } = await world(databases, t)
      await user('ann')
      const ann = ref('user', 'ann')
      const arns: string[] = []
      for (let i = 0; i < 11; i++) {
        const path = i < 3 ? '/team/' : '/'
        const created = await policies.create(account, {
          name: `p${i}`,
          path,
          description: undefined,
          document: allow,
          tags: [],
        })
        arns.push(created.arn)
      }
      for (const arn of arns.slice(0, 10)) await attachments.attach(ann, arn)
      await attachments.attach(ann, arns[0] ?? '')
      assert.equal(
        await refused(attachments.attach(ann, arns[10] ?? '')),
        'EntityQuotaExceeded {"quota":"policies of a user","limit":10}',
      )
      const { items, next } = await attachments.list(ann, { pathPrefix: '/team/', limit: 2 })
      assert.deepEqual([items.map(({ name }) => name), next], [['p0', 'p1'], arns[1]])
      await attachments.detach(ann, arns[0] ?? '')
      assert.match(await refused(attachments.detach(ann, arns[0] ?? '')), /^EntityNotFound {"kind":"attached policy"/)
      await attachments.attach(ann, readOnly)
      assert.equal((await attachments.list(ann, { pathPrefix: '/', limit: 99 })).items.length, 10)
      assert.match(
        await refused(attachments.attach(ann, 'arn:aws:iam::111122223333:policy/none')),
        /^EntityNotFound {"kind":"attachable policy"/,
      )
    })

    test('a boundary is a policy that exists, and tags keep their last spelling', async (t) => {
      const { users, boundaries, user } = await world(databases, t)
      await user('ann')
      const ann = { account, kind: 'user', name: 'ann' } as const
      await boundaries.put(ann, readOnly)
      await users.addTags(account, 'ann', [
        { key: 'team', value: 'a' },
        { key: '__proto__', value: 'b' },
      ])
      await users.addTags(account, 'ann', [{ key: 'Team', value: 'c' }])
      const { boundaryArn, tags } = await users.get(account, 'ann')
      assert.deepEqual(
        [boundaryArn, Object.entries(tags).sort()],
        [
          readOnly,
          [
            ['Team', 'c'],
            ['__proto__', 'b'],
          ],
        ],
      )
      await boundaries.delete(ann)
      await boundaries.delete(ann)
      await users.removeTags(account, 'ann', ['TEAM', 'none'])
      const after = await users.get(account, 'ann')
      assert.deepEqual([after.boundaryArn, Object.keys(after.tags)], [undefined, ['__proto__']])
      assert.match(await refused(boundaries.put(ann, 'arn:aws:iam::111122223333:policy/none')), /^BoundaryUnknown/)
    })
  })
})
