/** Root keys: generated once, kept, replaced by what the settings give; found by id. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ensureRoot, type RootKey } from '#iam/access-keys.ts'
import { Credentials } from '#iam/credentials.ts'
import { rootPrincipal } from '#iam/principal.ts'
import { createSecretBox } from '#iam/secret-box.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { type AccountId, parseAccountId } from '#names/account.ts'
import { eachDatabase } from '#test/support/databases.ts'

const account = parseAccountId('000000000000')
const other = parseAccountId('111111111111')
const given = { accessKeyId: 'AKIAGIVENBYSETTINGS0', secretAccessKey: 'a-secret-that-the-operator-chose' }

const box = createSecretBox(Buffer.alloc(32, 1))

/** Access keys of one process. */
function startOver(metadata: Metadata) {
  const credentials = new Credentials({ metadata, box })
  return {
    keys: {
      ensureRoot: (account: AccountId, given?: RootKey) =>
        ensureRoot({ metadata, clock: () => 1_000_000, box }, account, given),
      find: (id: string) => credentials.find(id),
    },
  }
}

eachDatabase((databases) =>
  describe(`access keys on ${databases.dialect}`, () => {
    test('the first start generates a root key in the shapes of AWS, and later ones keep it', async (t) => {
      const metadata = await databases.open(t)
      const first = await startOver(metadata).keys.ensureRoot(account)
      assert.ok(first.first && first.generated)
      assert.match(first.accessKeyId, /^AKIA[A-Z2-7]{16}$/)
      assert.match(first.secretAccessKey, /^[A-Za-z0-9+/]{40}$/)
      assert.deepEqual(
        { ...(await startOver(metadata).keys.ensureRoot(account)) },
        { ...first, first: false, generated: false },
      )
    })

    test('a key that the settings give is taken and kept when they give none', async (t) => {
      const metadata = await databases.open(t)
      const kept = { ...given, generated: false }
      const ensure = (key?: typeof given) => startOver(metadata).keys.ensureRoot(account, key)
      assert.deepEqual({ ...(await ensure(given)) }, { ...kept, first: true })
      assert.deepEqual({ ...(await ensure(given)) }, { ...kept, first: false })
      assert.deepEqual({ ...(await ensure()) }, { ...kept, first: false })
    })

    test('a key given later replaces the generated one, and a new secret the old', async (t) => {
      const metadata = await databases.open(t)
      const { keys } = startOver(metadata)
      const generated = await keys.ensureRoot(account)
      assert.ok(await keys.find(generated.accessKeyId))

      await keys.ensureRoot(account, given)
      assert.equal(await keys.find(generated.accessKeyId), undefined)
      assert.equal((await keys.find(given.accessKeyId))?.secret, given.secretAccessKey)

      await keys.ensureRoot(account, { ...given, secretAccessKey: 'another-secret' })
      assert.equal((await keys.find(given.accessKeyId))?.secret, 'another-secret')
    })

    test('accounts have keys of their own, and a key given for another account moves there', async (t) => {
      const { keys } = startOver(await databases.open(t))
      await keys.ensureRoot(account, given)
      const second = await keys.ensureRoot(other)
      assert.equal((await keys.find(given.accessKeyId))?.principal.account, account)
      assert.equal((await keys.find(second.accessKeyId))?.principal.account, other)

      await keys.ensureRoot(other, given)
      assert.equal((await keys.find(given.accessKeyId))?.principal.account, other)
      assert.equal(await keys.find(second.accessKeyId), undefined)
      assert.equal((await keys.ensureRoot(account)).generated, true)
    })

    test('starts at once for an account without a key generate one', async (t) => {
      const metadata = await databases.open(t)
      await startOver(metadata).keys.ensureRoot(account, given)
      await startOver(metadata).keys.ensureRoot(other, given)
      // As many connections as starts, so that none is late because it has to connect first.
      await Promise.all([1, 2, 3, 4].map(() => metadata.reader.selectFrom('account').select('id').execute()))
      const starts = await Promise.all([1, 2, 3, 4].map(() => startOver(metadata).keys.ensureRoot(account)))
      assert.equal(starts.filter(({ generated }) => generated).length, 1)
      assert.equal(new Set(starts.map(({ secretAccessKey }) => secretAccessKey)).size, 1)
    })

    test('a key finds its secret and the root of its account', async (t) => {
      const { keys } = startOver(await databases.open(t))
      await keys.ensureRoot(account, given)
      assert.deepEqual(await keys.find(given.accessKeyId), {
        secret: given.secretAccessKey,
        principal: rootPrincipal(account, { accessKeyId: given.accessKeyId, accessKeySince: 1_000_000 }),
      })
    })

    test('ids that are no key’s find nothing, whatever they hold', async (t) => {
      const { keys } = startOver(await databases.open(t))
      for (const id of ['', 'AKIAUNKNOWNUNKNOWN00', 'with\0nul', "' or 1=1 --", '__proto__', 'x'.repeat(10_000)]) {
        assert.equal(await keys.find(id), undefined)
      }
    })

    test('a replaced key is unknown to other processes at once, and a new one known', async (t) => {
      const metadata = await databases.open(t)
      const here = startOver(metadata)
      const there = startOver(metadata)
      const { accessKeyId } = await here.keys.ensureRoot(account)
      assert.ok(await there.keys.find(accessKeyId))
      assert.equal(await there.keys.find(given.accessKeyId), undefined)

      await here.keys.ensureRoot(account, given)
      assert.ok(await there.keys.find(given.accessKeyId))
      assert.equal(await there.keys.find(accessKeyId), undefined)
    })

    test('no secret lies in the database in clear', async (t) => {
      const metadata = await databases.open(t)
      await startOver(metadata).keys.ensureRoot(account, given)
      const { secret } = await metadata.reader.selectFrom('access_key').select('secret').executeTakeFirstOrThrow()
      assert.ok(!secret.includes(given.secretAccessKey))
      assert.equal(box.open(secret), given.secretAccessKey)
    })
  }),
)
