import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseChallenge } from '#remote/challenge.ts'

const bearer = { scheme: 'bearer', realm: 'https://auth.example/token', service: 'registry' }

for (const header of [
  'Bearer realm="https://auth.example/token",service="registry",scope="repository:a:pull,push"',
  'bearer realm="https://auth.example/token", service=registry',
  'Basic realm="x", Bearer realm="https://auth.example/token",service="registry"',
  'Bearer service="registry", realm="https://auth.example/token", error="insufficient_scope", Basic realm="x"',
]) {
  test(`a token is asked for by ${header}`, () => {
    assert.deepEqual(parseChallenge(header), bearer)
  })
}

test('quotes and commas within a parameter are part of it', () => {
  assert.deepEqual(parseChallenge('Bearer realm="https://a/?x=\\"1,2\\""'), {
    scheme: 'bearer',
    realm: 'https://a/?x="1,2"',
    service: undefined,
  })
})

test('Basic is answered where there is no Bearer with a realm', () => {
  assert.deepEqual(parseChallenge('Basic realm="x"'), { scheme: 'basic' })
  assert.deepEqual(parseChallenge('Basic'), { scheme: 'basic' })
  assert.deepEqual(parseChallenge('Bearer service="x", Basic realm="y"'), { scheme: 'basic' })
})

test('what is neither is no challenge', () => {
  for (const header of [undefined, '', 'Negotiate', '=', '"', 'Digest realm="x"'])
    assert.equal(parseChallenge(header), undefined)
})
