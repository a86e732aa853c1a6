/** The secrets of a webhook, and what they sign. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import {
  newSecret,
  openSecrets,
  rotated,
  sealSecrets,
  signingAt,
  type WebhookSecrets,
} from '#events/webhooks/secrets.ts'
import { signatureHeaders } from '#events/webhooks/signature.ts'
import { createSecretBox } from '#iam/secret-box.ts'

const hour = 3_600_000
const now = Date.UTC(2026, 0, 2)

const textsOf = (secrets: WebhookSecrets) => secrets.map(({ secret }) => secret)

test('a secret has 32 random bytes behind its prefix', () => {
  const secret = newSecret()
  assert.equal(Buffer.from(secret.replace(/^whsec_/, ''), 'base64').byteLength, 32)
  assert.notEqual(newSecret(), secret)
})

test('the secret before a rotation signs for a day', () => {
  const secrets = rotated([{ secret: 'old' }], 'new', now)
  assert.deepEqual(textsOf(signingAt(secrets, now)), ['new', 'old'])
  assert.deepEqual(textsOf(signingAt(secrets, now + 24 * hour - 1)), ['new', 'old'])
  assert.deepEqual(textsOf(signingAt(secrets, now + 24 * hour)), ['new'])
})

test('each of several rotations in a day leaves its secret a day of its own', () => {
  const twice = rotated(rotated([{ secret: 'a' }], 'b', now), 'c', now + hour)
  assert.deepEqual(textsOf(signingAt(twice, now + 24 * hour)), ['c', 'b'])
  const often = ['c', 'd', 'e', 'f', 'g'].reduce<WebhookSecrets>((all, each) => rotated(all, each, now), twice)
  assert.deepEqual(textsOf(often), ['g', 'f', 'e', 'd', 'c'])
})

test('sealed secrets open again, and show nothing', () => {
  const box = createSecretBox(Buffer.alloc(32, 1))
  const secret = newSecret()
  const sealed = sealSecrets(box, [{ secret }])
  assert.ok(!sealed.includes(secret.slice(6)))
  assert.deepEqual(openSecrets(box, sealed), [{ secret }])
})

test('a message has a signature by each secret, which the library verifies', () => {
  const secrets = [newSecret(), newSecret()]
  const body = '{"detail":"für alle"}'
  const headers = signatureHeaders(secrets, { id: 'an-id', body, at: Date.now() })
  for (const secret of secrets) assert.deepEqual(new Webhook(secret).verify(body, headers), { detail: 'für alle' })
  assert.throws(() => new Webhook(newSecret()).verify(body, headers), /No matching signature/)
  assert.throws(() => new Webhook(secrets[0] ?? '').verify(`${body} `, headers), /No matching signature/)
})
