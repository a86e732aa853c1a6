/** `LADING_QUOTAS`: counts, and bytes with units. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ecrQuotas, parseQuotas } from '#config/quotas.ts'

test('bytes have units, or none for no quota, and what is not named stays', () => {
  const given = 'bytesPerRegistry=500GiB, bytesPerAccount=1TiB,openUploadBytes=1500,sessionsPerPrincipal=10'
  const bytes = { bytesPerRegistry: 536_870_912_000, bytesPerAccount: 1_099_511_627_776, openUploadBytes: 1_500 }
  assert.deepEqual(parseQuotas(given), { ...ecrQuotas, ...bytes, sessionsPerPrincipal: 10 })
  assert.equal(parseQuotas('bytesPerRegistry=none')?.bytesPerRegistry, Number.POSITIVE_INFINITY)
})

for (const text of ['bytesPerRegistry=5GB', 'bytesPerRegistry=', 'images=5GiB', 'images=none', 'bytesPerAccount=-1']) {
  test(`refuses ${text}`, () => assert.equal(parseQuotas(text), undefined))
}

test('refuses more bytes than numbers can count exactly', () => {
  assert.equal(parseQuotas('bytesPerAccount=999999999999TiB'), undefined)
})
