import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTokenCache } from '#remote/token-cache.ts'

test('a token is fetched once for all who ask at the same time, and again shortly before it expires', async () => {
  let now = 1_000_000
  let fetches = 0
  const cache = createTokenCache(() => now)
  const fetch = async () => ({ token: `token-${++fetches}`, expiresAt: now + 300_000 })

  assert.deepEqual(await Promise.all([cache.get('a', fetch), cache.get('a', fetch)]), ['token-1', 'token-1'])
  now += 289_999
  assert.equal(await cache.get('a', fetch), 'token-1')
  now += 1
  assert.equal(await cache.get('a', fetch), 'token-2')
})

test('a token of a second is used for nine tenths of it', async () => {
  let now = 0
  const cache = createTokenCache(() => now)
  const fetch = async () => ({ token: `of ${now}`, expiresAt: now + 1000 })
  await cache.get('a', fetch)

  now = 899
  assert.equal(await cache.get('a', fetch), 'of 0')
  now = 900
  assert.equal(await cache.get('a', fetch), 'of 900')
})

test('a failed fetch is not kept, and neither is a dropped token', async () => {
  const cache = createTokenCache(() => 0)
  const token = (text: string) => async () => ({ token: text, expiresAt: 1000 })

  await assert.rejects(
    cache.get('a', () => Promise.reject(new Error('down'))),
    /down/,
  )
  assert.equal(await cache.get('a', token('first')), 'first')
  await cache.drop('a', 'another')
  assert.equal(await cache.get('a', token('second')), 'first')
  await cache.drop('a', 'first')
  assert.equal(await cache.get('a', token('second')), 'second')
})
