/** What one account's identity providers can hold of a process that asks them for keys. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createProviderKeys } from '#iam/federation/provider-keys.ts'
import { type Fetch, FetchFailure } from '#lib/fetch.ts'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'

const [account, other] = ['111111111111', '222222222222'].map(parseAccountId)
assert.ok(account !== undefined && other !== undefined)

const unreachable = (error: unknown) => error instanceof Refusal && error.code === 'ProviderUnreachable'
const urls = (count: number) => Array.from({ length: count }, (_, at) => `https://silent-${at}.example`)

function stage(deadlineMs: number) {
  const asked: string[] = []
  const fetch: Fetch = async ({ hostname }, { deadlineMs: remainingMs }) => {
    asked.push(hostname)
    if (!hostname.startsWith('silent')) throw new FetchFailure('no answer')
    const { promise, reject } = Promise.withResolvers<never>()
    setTimeout(() => reject(new FetchFailure('no answer in time')), remainingMs)
    return promise
  }
  const onUnreachable = () => {}
  return { asked, keys: createProviderKeys({ fetch, clock: () => 0, privateHosts: true, onUnreachable, deadlineMs }) }
}

test('at most twenty silent providers of one account are asked at once, and another account does not wait', async () => {
  const { asked, keys } = stage(300)
  const answers = urls(50).map((url) => assert.rejects(keys.get(account, url), unreachable))
  await setImmediate()
  assert.equal(asked.length, 20)
  const elsewhere = assert.rejects(keys.get(other, 'https://other.example'), unreachable)
  await setImmediate()
  assert.deepEqual(asked.slice(20), ['other.example'])
  await Promise.all([...answers, elsewhere])
})

test('a provider that only waited for its turn is asked as soon as another account asks', async () => {
  const { asked, keys } = stage(200)
  const answers = [...urls(20), 'https://shared.example'].map((url) =>
    assert.rejects(keys.get(account, url), unreachable),
  )
  await setImmediate()
  assert.ok(!asked.includes('shared.example'))
  answers.push(assert.rejects(keys.get(other, 'https://shared.example'), unreachable))
  await setImmediate()
  assert.ok(asked.includes('shared.example'))
  await Promise.all(answers)
})

test('many calls about one provider ask it once', async () => {
  const { asked, keys } = stage(50)
  const calls = Array.from({ length: 100 }, () => keys.get(account, 'https://silent.example'))
  await Promise.all(calls.map((call) => assert.rejects(call, unreachable)))
  assert.deepEqual(asked, ['silent.example'])
})
