/** Sign-in by access key id and secret: one answer for all that is wrong, and a limit against guessing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeySignIn } from '#iam/key-sign-in.ts'
import { rootPrincipal } from '#iam/principal.ts'
import { parseAccountId } from '#names/account.ts'

const key = { id: 'AKIAEXAMPLE', secret: 'the-right-secret' }
const other = { id: 'AKIAOTHER', secret: 'the-secret-of-the-other' }
const temporary = { id: 'ASIAEXAMPLE', secret: 'the-secret-of-a-session' }
const here = { sourceIp: '192.0.2.1' }

function world() {
  const time = { now: 1_000_000 }
  let searches = 0
  const signIn = createKeySignIn({
    clock: () => time.now,
    credentials: {
      async find(id) {
        searches++
        await undefined
        const found = [key, other, temporary].find((each) => each.id === id)
        if (found === undefined) return undefined
        const principal = rootPrincipal(parseAccountId('000000000000'), { accessKeyId: id, accessKeySince: 0 })
        const session = { tokenHash: '', expiresAt: Number.POSITIVE_INFINITY }
        return { secret: found.secret, principal, ...(found === temporary && { session }) }
      },
    },
  })
  const answers = async (count: number, attempt: Parameters<typeof signIn.verify>[0]) =>
    (await Promise.all(Array.from({ length: count }, () => signIn.verify(attempt)))).map(({ is }) => is)
  return { time, answers, searches: () => searches }
}

test('the right secret of a permanent key signs in, and all else has one answer', async () => {
  const { answers } = world()
  assert.deepEqual(await answers(1, { ...key, ...here }), ['right'])
  for (const attempt of [
    { ...key, secret: 'another-secret' },
    { ...key, secret: '' },
    { ...key, secret: other.secret },
    { id: 'AKIAUNKNOWN', secret: key.secret },
    { id: 'AKIAUNKNOWN', secret: '' },
    temporary,
  ]) {
    assert.deepEqual(await answers(1, { ...attempt, ...here }), ['wrong'], attempt.id)
  }
})

test('ten wrong secrets from one address end all sign-ins of that key from there, for a minute', async () => {
  const { time, answers, searches } = world()
  const wrong = { ...key, secret: 'wrong', ...here }
  // Together, so that none is compared before the others are counted.
  const first = await answers(25, wrong)
  assert.deepEqual(
    [first.filter((is) => is === 'wrong').length, first.filter((is) => is === 'throttled').length],
    [10, 15],
  )
  const before = searches()
  assert.deepEqual(await answers(1, { ...key, ...here }), ['throttled'])
  assert.equal(searches(), before)
  assert.deepEqual(await answers(1, { ...key, sourceIp: '192.0.2.2' }), ['right'])
  assert.deepEqual(await answers(1, { ...other, ...here }), ['right'])
  time.now += 59_999
  assert.deepEqual(await answers(1, { ...key, ...here }), ['throttled'])
  time.now += 1
  assert.deepEqual(await answers(1, { ...key, ...here }), ['right'])
})

test('a hundred wrong secrets of many keys from one network end all sign-ins from there', async () => {
  for (const [addresses, outside] of [
    [(n: number) => `2001:db8:0:1::${n.toString(16)}`, '2001:db8:0:2::1'],
    [(n: number) => (n % 2 ? '::ffff:192.0.2.1' : '192.0.2.1'), '192.0.2.3'],
  ] as const) {
    const { answers } = world()
    for (let n = 0; n < 100; n++) {
      assert.deepEqual(await answers(1, { id: `AKIA${n}`, secret: 'wrong', sourceIp: addresses(n) }), ['wrong'])
    }
    assert.deepEqual(await answers(1, { ...key, sourceIp: addresses(1_000) }), ['throttled'])
    assert.deepEqual(await answers(1, { ...key, sourceIp: outside }), ['right'])
  }
})

test('right secrets are never counted', async () => {
  const { answers } = world()
  const all = await answers(200, { ...key, ...here })
  assert.ok(all.every((is) => is === 'right'))
})
