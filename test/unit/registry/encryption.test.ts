import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseEncryption } from '#registry/encryption.ts'

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-gov-west-1') }
const here = 'arn:aws:kms:us-gov-west-1:000000000000:'

test('a key is shown as its ARN, however it was given', () => {
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
