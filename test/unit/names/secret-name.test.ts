/** Names and ARNs of secrets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSecretName, parseSecretArn, secretArn, splitSecretResource } from '#names/secret-name.ts'

const registry = { account: '000000000000', region: 'us-east-1' }

test('an ARN has the name and six random characters, and gives both back', () => {
  const arn = secretArn(registry, 'ecr-pullthroughcache/a-b', 'AbC123')
  assert.equal(arn, 'arn:aws:secretsmanager:us-east-1:000000000000:secret:ecr-pullthroughcache/a-b-AbC123')
  const parsed = parseSecretArn(arn)
  assert.deepEqual(parsed, { ...registry, resource: 'ecr-pullthroughcache/a-b-AbC123' })
  assert.deepEqual(splitSecretResource(parsed?.resource ?? ''), { name: 'ecr-pullthroughcache/a-b', suffix: 'AbC123' })
})

test('what is no ARN of a secret, and what has no random characters, is told apart', () => {
  for (const text of [
    ...[
      '',
      'name',
      'arn:aws:secretsmanager:us-east-1:000000000000:secret:',
      'arn:aws:ecr:us-east-1:000000000000:secret:a',
    ],
    ...['arn:aws:secretsmanager:us-east-1:0:secret:a', 'arn:aws:secretsmanager:us-east-1:000000000000:secret:a:b'],
  ]) {
    assert.equal(parseSecretArn(text), undefined, text)
  }
  for (const resource of ['a', 'a-b', 'a-bcdef', 'a-bcdefgh', 'a-bcde??', '-abcdef']) {
    assert.equal(splitSecretResource(resource), undefined, resource)
  }
})

test('a name has from 1 to 512 letters, digits and characters of a path', () => {
  for (const name of ['a', 'ecr-pullthroughcache/A_+=.@-1', 'a'.repeat(512)]) assert.ok(isSecretName(name))
  for (const name of ['', 'a b', 'a!', 'a*', 'é', 'a\0', 'a\n', 'a'.repeat(513)]) assert.ok(!isSecretName(name))
})
