import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseEncryption, shownKmsKey } from '#registry/encryption.ts'

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-gov-west-1') }
const here = 'arn:aws:kms:us-gov-west-1:000000000000:'

test('a key is kept as its ARN, however it was given', () => {
  const given: readonly [kmsKey: string | undefined, shown: string][] = [
    [undefined, `${here}alias/aws/ecr`],
    ['alias/team/app_1', `${here}alias/team/app_1`],
    ['mrk-1234abcd', `${here}key/mrk-1234abcd`],
    ['1234abcd-12ab-34cd-56ef-1234567890ab', `${here}key/1234abcd-12ab-34cd-56ef-1234567890ab`],
    ['arn:aws:kms:us-gov-west-1:111122223333:key/1234abcd', 'arn:aws:kms:us-gov-west-1:111122223333:key/1234abcd'],
    ['arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a', 'arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a'],
  ]
  for (const [kmsKey, shown] of given) {
    assert.deepEqual(parseEncryption(registry, { type: 'KMS', kmsKey }), { type: 'KMS', kmsKey: shown })
  }
  assert.deepEqual(parseEncryption(registry, undefined), { type: 'AES256' })
})

test('the key of the registry itself is shown by an id, the same one however often and however it is named', () => {
  const { kmsKey: kept = '' } = parseEncryption(registry, { type: 'KMS' })
  const shown = shownKmsKey(registry, kept)
  assert.match(shown, /:key\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.ok(shown.startsWith(here))
  for (const kmsKey of ['alias/aws/ecr', shown, shown.slice(`${here}key/`.length)]) {
    const encryption = parseEncryption(registry, { type: 'KMS', kmsKey })
    assert.deepEqual(encryption, { type: 'KMS', kmsKey: kept })
  }
  const others = [
    { ...registry, region: parseRegion('us-east-1') },
    { ...registry, account: parseAccountId('111122223333') },
  ].map((other) => shownKmsKey(other, parseEncryption(other, { type: 'KMS' }).kmsKey ?? ''))
  assert.equal(new Set([shown, ...others].map((arn) => arn.split('/')[1])).size, 3)
  assert.equal(shownKmsKey(registry, `${here}alias/mine`), `${here}alias/mine`)
})

test('what is no id, alias or ARN of a key in the region is refused', () => {
  for (const kmsKey of [
    ...['', 'a\0b', 'a\ud800b', 'a b', 'alias/', 'alias/mine\n', 'key/a', 'arn:<junk>'],
    ...[`${here}key/`, `${here}grant/a`, `${here}key/a\n`, here.replace('kms', 'iam').concat('key/a')],
    'arn:aws:kms:us-east-1:000000000000:key/a',
    'arn:other:kms:us-gov-west-1:000000000000:key/a',
  ]) {
    assert.throws(
      () => parseEncryption(registry, { type: 'KMS', kmsKey }),
      (error) => error instanceof Refusal && error.code === 'KmsKeyInvalid',
      kmsKey,
    )
  }
})

test('encryption by the store takes no key', () => {
  assert.throws(() => parseEncryption(registry, { type: 'AES256', kmsKey: 'alias/mine' }), { code: 'KmsKeyUnexpected' })
})
